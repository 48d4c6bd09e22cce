/** Kafka: topics, who writes and reads them, and the events that travel there (PRODUCT 4). */
import { z } from 'zod';
import { historyState, paymentState, stage, stepState } from './states.ts';

export const topics = {
  createdOrders: 'created-orders',
  paymentEvent: 'payment-event',
  orderSteps: 'order-steps',
  catalog: 'catalog',
  deadLetters: 'dead-letters',
} as const;
export type Topic = (typeof topics)[keyof typeof topics];

const day = 24 * 60 * 60 * 1000;

/** How the topics are made when they are missing. `retentionMs` -1 keeps for ever. */
export const topicSettings: Record<Topic, { partitions: number; config: Record<string, string> }> = {
  'created-orders': { partitions: 3, config: { 'retention.ms': String(7 * day) } },
  'payment-event': { partitions: 3, config: { 'retention.ms': String(7 * day) } },
  'order-steps': { partitions: 3, config: { 'retention.ms': String(7 * day) } },
  catalog: { partitions: 1, config: { 'cleanup.policy': 'compact' } },
  // A letter holds a whole message as text, which may be some times as long: the largest one must not fail to be written.
  'dead-letters': { partitions: 1, config: { 'retention.ms': '-1', 'max.message.bytes': String(8 * 1024 * 1024) } },
};

/**
 * How old a message can be when it is delivered once more, ms: the retention, and a week on top, because Kafka deletes
 * whole segments and begins a new one after a week at the latest.
 */
export const longestRedeliveryMs = 14 * day;

/** In JWT mode only what a service of ours has signed is believed here. `payment-event` has a signature of its own. */
export const signedTopics: readonly Topic[] = [topics.createdOrders, topics.orderSteps, topics.catalog];

/** What every value carries. `idempotencyKey` is unique for the fact, however often it is sent. */
const envelope = { idempotencyKey: z.string().min(1).max(200), occurredAt: z.iso.datetime({ offset: true }) };
const orderEnvelope = { ...envelope, orderId: z.uuid() };

/** Money in minor units (pence). The bound keeps every sum inside PostgreSQL's integer. */
export const minorUnits = z.int().min(0).max(2_000_000_000);

/** Ids of products are words, so that they can stand in an address and in any log. */
export const productId = z
  .string()
  .regex(/^[A-Za-z0-9._-]{1,64}$/, 'must be 1 to 64 of letters, digits, dot, dash and underscore')
  // In an address they would lead elsewhere at inventory-service.
  .refine((id) => !/^\.+$/.test(id), 'must not be dots alone');

export const orderItem = z.object({
  productId,
  quantity: z.int().min(1).max(100),
  /** What is charged for one, frozen when the order was placed. */
  unitPrice: minorUnits,
  /** What the customer says to have seen, if they said it. */
  seenPrice: minorUnits.optional(),
});
export type OrderItem = z.infer<typeof orderItem>;

export const orderCreated = z.object({
  ...orderEnvelope,
  type: z.literal('ORDER_CREATED'),
  items: z.array(orderItem).min(1).max(20),
  /** Single-use token of the payment; never card data. */
  paymentToken: z.string().max(100).optional(),
  /** ISO 8601 duration that shortens the time to pay. */
  paymentDeadline: z.iso.duration().optional(),
});
export type OrderCreated = z.infer<typeof orderCreated>;

export const cancelRequested = z.object({ ...orderEnvelope, type: z.literal('ORDER_CANCEL_REQUESTED') });
export type CancelRequested = z.infer<typeof cancelRequested>;

/** An operator stops the order. The orchestrator tells itself, behind the order and whatever its customer wished. */
export const abortRequested = z.object({ ...orderEnvelope, type: z.literal('ORDER_ABORT_REQUESTED') });
export type AbortRequested = z.infer<typeof abortRequested>;

/** `created-orders`: order-service → orchestrator, and an operator's abort from the orchestrator to itself. */
export const createdOrdersEvent = z.discriminatedUnion('type', [orderCreated, cancelRequested, abortRequested]);
export type CreatedOrdersEvent = z.infer<typeof createdOrdersEvent>;

/**
 * `payment-event`: payment-service → orchestrator. payment-service signs what it writes (`signatureHeader`); an event
 * without a signature was written by hand: payment-service books it in local mode and writes its own, signed one.
 */
export const paymentEvent = z.object({
  ...orderEnvelope,
  type: z.enum(['PAYMENT_APPROVED', 'PAYMENT_DECLINED', 'PAYMENT_LATE']),
  paymentId: z.string().optional(),
  amount: minorUnits.optional(),
  reason: z.string().max(500).optional(),
});
export type PaymentEvent = z.infer<typeof paymentEvent>;

/**
 * Kafka header with the hex HMAC-SHA256 of the value's bytes: under `PAYMENT_EVENT_SECRET` on `payment-event`, which
 * payment-service alone may write, and under `EVENT_SECRET` on what any of our services writes.
 */
export const signatureHeader = 'signature';

/** `order-steps`, one step of an order moved. Unique per (process instance, element, attempt, state). */
export const stepMoved = z.object({
  ...orderEnvelope,
  type: z.literal('STEP'),
  processInstanceKey: z.string(),
  elementId: z.string().min(1),
  elementInstanceKey: z.string().optional(),
  stage,
  state: stepState,
  attempt: z.int().min(1),
  /** Present on an undo: the steps (element ids) that it rolls back; the order shows as COMPENSATING. */
  undo: z.array(z.string()).optional(),
  error: z.object({ code: z.string(), message: z.string() }).optional(),
  /** Facts that became true with this step's effect. */
  history: z.array(historyState).optional(),
  payment: z.object({ state: paymentState }).optional(),
  payBy: z.iso.datetime({ offset: true }).optional(),
});
export type StepMoved = z.infer<typeof stepMoved>;

/** `order-steps`, something became true outside a step: the provider called, an approval came late. */
export const factNoted = z.object({
  ...orderEnvelope,
  type: z.literal('FACT'),
  history: z.array(historyState).default([]),
  payment: z.object({ state: paymentState }).optional(),
  /** A repair of the reconciliation made it true, perhaps for an order that does not exist: then nobody misses it. */
  repair: z.literal(true).optional(),
});
export type FactNoted = z.infer<typeof factNoted>;

export const orderStepsEvent = z.discriminatedUnion('type', [stepMoved, factNoted]);
export type OrderStepsEvent = z.infer<typeof orderStepsEvent>;

/** `catalog`, compacted by product id: names and prices for order-service's copy. */
export const catalogEvent = z.object({
  ...envelope,
  type: z.literal('PRODUCT_CHANGED'),
  productId,
  name: z.string(),
  price: minorUnits,
  /** Grows with each change; a copy ignores what is older than what it has. */
  version: z.int(),
});
export type CatalogEvent = z.infer<typeof catalogEvent>;

/** `dead-letters`: what did not parse or failed for good, whole, so that it can be read and replayed. */
export const deadLetter = z.object({
  idempotencyKey: z.string(),
  type: z.literal('DEAD_LETTER'),
  occurredAt: z.iso.datetime({ offset: true }),
  orderId: z.uuid().optional(),
  reason: z.object({ code: z.string(), message: z.string() }),
  /** Who gave up on it. */
  service: z.string(),
  source: z.object({
    /** Topic, or `webhook` for a call of the provider. */
    topic: z.string(),
    partition: z.int().optional(),
    offset: z.string().optional(),
    key: z.string().nullable(),
    /** The value as text; `base64` when its bytes are not UTF-8. */
    value: z.string().nullable(),
    encoding: z.enum(['utf8', 'base64']),
    headers: z.record(z.string(), z.string()).default({}),
  }),
});
export type DeadLetter = z.infer<typeof deadLetter>;
