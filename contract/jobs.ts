/**
 * Every job of the diagrams, declared once: type, input, output, BPMN errors, tries, and which step of the order it is.
 * Workers take all of it from here (`service.worker`), diagrams are checked against it.
 */
import { z } from 'zod';
import { type BpmnErrorCode, reasonCode } from './errors.ts';
import { paymentOutcome, type Stage } from './states.ts';
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

export const jobs = {
  reserveTickets: job({
    type: 'reserve-tickets',
    service: 'inventory-service',
    input: startVariables.pick({ orderId: true, items: true, paymentDeadline: true, startBy: true }),
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
    input: z.object({ orderId }),
    output: z.object({}),
    errors: [],
    stage: 'Post-Processing',
    tries: 5,
    undo: ['ReserveTickets', 'ConfirmTickets'],
  }),
  confirmTickets: job({
    type: 'confirm-tickets',
    service: 'inventory-service',
    input: z.object({ orderId }),
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
    input: z.object({ orderId }),
    output: z.object({}),
    errors: [],
    stage: 'Post-Processing',
    tries: 5,
    undo: ['RequestPayment', 'WaitForPayment'],
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
} as const;

export type JobName = keyof typeof jobs;

/** Waits of the diagrams that no worker does: steps of the timeline all the same. */
export const waits = { WaitForPayment: { stage: 'Processing' } } as const satisfies Record<string, { stage: Stage }>;

/** The stage of the start event: an order is scheduled until its process runs. */
export const startStep = { elementId: 'OrderPlaced', stage: 'Scheduling' } as const satisfies {
  elementId: string;
  stage: Stage;
};
