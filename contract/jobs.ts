/**
 * Every job of the diagrams, declared once: type, input, output, BPMN errors, tries, and which step of the order it is.
 * Workers take all of it from here (`service.worker`), diagrams are checked against it.
 */
import { z } from 'zod';
import { type BpmnErrorCode, reasonCode } from './errors.ts';
import { orderStatus, paymentOutcome, type Stage } from './states.ts';
import { minorUnits, orderItem } from './topics.ts';

export type Job<Input extends z.ZodObject = z.ZodObject, Output extends z.ZodObject = z.ZodObject> = {
  type: string;
  /** The service whose worker does it. */
  service: 'order-service' | 'inventory-service' | 'payment-service';
  input: Input;
  output: Output;
  errors: readonly BpmnErrorCode[];
  stage: Stage;
  /** Tries before the step is an incident; the diagram's `retries` says the same. */
  tries: number;
  /** For an undo the steps (element ids) that it rolls back; the order shows COMPENSATING from its start on. */
  undo: readonly string[] | null;
};

const job = <const Input extends z.ZodObject, const Output extends z.ZodObject>(declared: Job<Input, Output>) =>
  declared;

const orderId = z.uuid();
const instant = z.iso.datetime({ offset: true });
/** Variables that name the end of the order; mapped out on the event that knows it. */
const why = { reasonCode, reasonMessage: z.string().nullish() };

/** Process variables at the start of `ticket-order`, set by the orchestrator. */
export const startVariables = z.object({
  orderId,
  items: z.array(orderItem).min(1),
  /** ISO 8601 duration from the reservation to `payBy`. */
  paymentDeadline: z.iso.duration(),
  /** After this moment the order is too old to be started (`ORDER_EXPIRED`). */
  startBy: instant,
  paymentToken: z.string().nullable(),
});
export type StartVariables = z.infer<typeof startVariables>;

/** Process variables at the start of `late-payment`, set by the orchestrator. */
export const latePaymentVariables = z.object({
  orderId,
  /** `lateReservation(orderId)`, for every step that holds, sells or releases tickets. */
  reservationId: z.string(),
  /** ISO 8601 duration for which the tickets are held until they are confirmed: moments, unless something is stuck. */
  paymentDeadline: z.iso.duration(),
  /** ISO 8601 duration: an order that ended longer ago is not reinstated (`REINSTATE_WITHIN`). */
  reinstateWithin: z.iso.duration(),
});
export type LatePaymentVariables = z.infer<typeof latePaymentVariables>;

/** Process variables at the start of `refund-order`. */
export const refundOrderVariables = z.object({ orderId });

/** The reservation that a step is about: the order's own, whose id is the order's, unless the process names another. */
const reservationId = z.string().min(1).max(64).nullish();
/** The reservation that late money pays: a second one of the same order, which has let its first one go. */
export const lateReservation = (id: string) => `${id}/late`;

export const jobs = {
  reserveTickets: job({
    type: 'reserve-tickets',
    service: 'inventory-service',
    input: startVariables.pick({ orderId: true, items: true, paymentDeadline: true }).extend({
      reservationId,
      /** None: it is never too late, `ORDER_EXPIRED` does not come. */
      startBy: instant.nullish(),
      /** The customer has paid the order's own prices: they stand, `PRICE_CHANGED` does not come. */
      pricesStand: z.boolean().nullish(),
    }),
    /** `payBy`: database clock + deadline, ISO with Z as the engine's timer wants it; `total` in minor units. */
    output: z.object({ payBy: instant, total: minorUnits }),
    errors: ['SOLD_OUT', 'PRICE_CHANGED', 'UNKNOWN_PRODUCT', 'ORDER_EXPIRED', 'DUPLICATE_PROCESS'],
    stage: 'Pre-Processing',
    tries: 5,
    undo: null,
  }),
  releaseTickets: job({
    type: 'release-tickets',
    service: 'inventory-service',
    input: z.object({ orderId, reservationId }),
    output: z.object({}),
    errors: [],
    stage: 'Post-Processing',
    tries: 5,
    undo: ['ReserveTickets', 'ConfirmTickets', 'ReserveLateTickets', 'ConfirmLateTickets'],
  }),
  confirmTickets: job({
    type: 'confirm-tickets',
    service: 'inventory-service',
    input: z.object({ orderId, reservationId }),
    output: z.object({}),
    errors: ['RESERVATION_EXPIRED'],
    stage: 'Post-Processing',
    tries: 5,
    undo: null,
  }),
  requestPayment: job({
    type: 'request-payment',
    service: 'payment-service',
    input: z.object({ orderId, total: minorUnits, payBy: instant, paymentToken: z.string().nullish() }),
    output: z.object({}),
    errors: [],
    stage: 'Processing',
    tries: 5,
    undo: null,
  }),
  closePayment: job({
    type: 'close-payment',
    service: 'payment-service',
    input: z.object({ orderId }),
    output: z.object({ paymentOutcome }),
    errors: [],
    stage: 'Post-Processing',
    tries: 5,
    undo: null,
  }),
  cancelPayment: job({
    type: 'cancel-payment',
    service: 'payment-service',
    input: z.object({
      orderId,
      /** The order itself is being refunded: late money that reinstated it goes back too. Else that is not its business. */
      orderRefund: z.boolean().nullish(),
    }),
    output: z.object({}),
    errors: [],
    stage: 'Post-Processing',
    tries: 5,
    undo: ['RequestPayment', 'WaitForPayment', 'AcceptPayment'],
  }),
  acceptPayment: job({
    type: 'accept-payment',
    service: 'payment-service',
    input: z.object({ orderId }),
    output: z.object({}),
    errors: ['PAYMENT_NOT_LATE'],
    stage: 'Post-Processing',
    tries: 5,
    undo: null,
  }),
  refundPayment: job({
    type: 'refund-payment',
    service: 'payment-service',
    input: z.object({ orderId }),
    output: z.object({}),
    /** DUPLICATE_PROCESS: another process instance has accepted the money, or it came in time. */
    errors: ['DUPLICATE_PROCESS'],
    stage: 'Post-Processing',
    tries: 5,
    undo: ['AcceptPayment'],
  }),
  rejectOrder: job({
    type: 'reject-order',
    service: 'order-service',
    input: z.object({ orderId, ...why }),
    output: z.object({}),
    errors: [],
    stage: 'Post-Processing',
    tries: 5,
    undo: null,
  }),
  completeOrder: job({
    type: 'complete-order',
    service: 'order-service',
    input: z.object({ orderId }),
    output: z.object({}),
    errors: ['ORDER_STOPPED'],
    stage: 'Post-Processing',
    tries: 5,
    undo: null,
  }),
  closeOrder: job({
    type: 'close-order',
    service: 'order-service',
    input: z.object({ orderId, ...why }),
    output: z.object({}),
    errors: [],
    stage: 'Post-Processing',
    tries: 5,
    undo: [],
  }),
  stopOrder: job({
    type: 'stop-order',
    service: 'order-service',
    input: z.object({ orderId }),
    output: z.object({}),
    errors: ['ORDER_ALREADY_FINAL'],
    stage: 'Post-Processing',
    tries: 5,
    undo: [],
  }),
  checkLatePayment: job({
    type: 'check-late-payment',
    service: 'order-service',
    input: z.object({ orderId }),
    /** The facts that the diagram decides on: how the order ended, how long ago, and what would be reserved again. */
    output: z.object({
      orderEnded: z.boolean(),
      orderStatus: z.enum([...orderStatus.options, 'UNKNOWN']),
      /** The customer asked to cancel, whether or not that came in time. */
      cancelRequested: z.boolean(),
      /** By the database's clock, in whole seconds, as `PT125S`; nothing where it has not ended. */
      endedAgo: z.iso.duration(),
      items: z.array(orderItem),
    }),
    errors: [],
    stage: 'Post-Processing',
    tries: 5,
    undo: null,
  }),
  reinstateOrder: job({
    type: 'reinstate-order',
    service: 'order-service',
    input: z.object({ orderId }),
    output: z.object({}),
    errors: ['ORDER_NOT_REINSTATABLE'],
    stage: 'Post-Processing',
    tries: 5,
    undo: null,
  }),
  noteRefund: job({
    type: 'note-refund',
    service: 'order-service',
    input: z.object({ orderId }),
    output: z.object({}),
    errors: [],
    stage: 'Post-Processing',
    tries: 5,
    undo: null,
  }),
  startRefund: job({
    type: 'start-refund',
    service: 'order-service',
    input: z.object({ orderId }),
    /** The reservation under which the order's tickets were sold. */
    output: z.object({ reservationId: z.string() }),
    errors: ['ORDER_NOT_REFUNDABLE'],
    stage: 'Post-Processing',
    tries: 5,
    undo: [],
  }),
} as const;

export type JobName = keyof typeof jobs;

/** Waits of the diagrams that no worker does: steps of the timeline all the same. */
export const waits = { WaitForPayment: { stage: 'Processing' } } as const satisfies Record<string, { stage: Stage }>;

/** The stage of the start event: an order is scheduled until its process runs. */
export const startStep = { elementId: 'OrderPlaced', stage: 'Scheduling' } as const satisfies {
  elementId: string;
  stage: Stage;
};
