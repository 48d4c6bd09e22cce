/**
 * Which order comes to which crash point: for each task of the diagrams, each consumer, outbox, call and route the
 * scenario that leads there. What has no way here has no row in the matrix, and fails its test.
 */
import type { Scenario } from '../../tools/scenarios.ts';
import { scenarios } from '../../tools/scenarios.ts';

export type Way = {
  scenario: Scenario;
  /** ISO 8601: instead of the scenario's own, which is too short for a step that is taken up twice. */
  deadline?: string;
};

const named = (name: string): Scenario => {
  const scenario = scenarios.find((one) => one.name === name);
  if (!scenario) throw new Error(`tools/scenarios.ts has no "${name}".`);
  return scenario;
};
/** Longer than a lost job waits for another worker. */
const long = 'PT25S';

const approved: Way = { scenario: named('tok_approve') };
const declined: Way = { scenario: named('tok_decline') };
const soldOut: Way = { scenario: named('sold out') };
const unpaid: Way = { scenario: named('tok_never'), deadline: long };
const wrongAmount: Way = { scenario: named('tok_wrong_amount'), deadline: long };
const byHand: Way = { scenario: named('tok_manual, approved by hand over Kafka') };
const cancelled: Way = { scenario: named('cancelled while the payment is awaited') };
const aborted: Way = { scenario: named('aborted by an operator') };

/** By the element's id, in all diagrams. */
export const tasks: Record<string, Way> = {
  ReserveTickets: approved,
  ReleaseTickets: declined,
  RejectOrder: soldOut,
  RequestPayment: approved,
  ClosePayment: unpaid,
  ConfirmTickets: approved,
  CompleteOrder: approved,
  CancelPayment: cancelled,
  CloseOrder: declined,
  StopOrder: aborted,
  AbortCancelPayment: aborted,
  AbortReleaseTickets: aborted,
  AbortCloseOrder: aborted,
};

/** By the name of the consumer group, which is `<service>.<topic>`. `catalog` is armed by the product. */
export const consumers: Record<string, Way> = {
  'orchestrator.created-orders': approved,
  'orchestrator.payment-event': approved,
  'payment-service.payment-event': byHand,
  'order-service.order-steps': approved,
  'order-service.catalog': approved,
  'order-service.dead-letters': wrongAmount,
};

/** By what the orchestrator tells the engine between a message and its mark in the inbox. */
export const engineCalls: Record<string, Way> = {
  'engine start ticket-order': approved,
  'engine message cancel-order': cancelled,
  'engine told PAYMENT_APPROVED': approved,
  'engine told PAYMENT_DECLINED': declined,
};

/** By the schema that the outbox is in. An order's own event is sent before its id is known here; its cancel comes later. */
export const outboxes: Record<string, Way> = {
  orders: cancelled,
  inventory: approved,
  payments: approved,
  orchestration: approved,
};

/** By the call to the provider. */
export const providerCalls: Record<string, Way> = {
  request: approved,
  void: cancelled,
  refund: wrongAmount,
  query: unpaid,
};

/** By the route; `POST /orders` is armed by its Idempotency-Key. */
export const routes: Record<string, Way> = {
  'POST /orders': approved,
  'POST /orders/:id/cancel': cancelled,
};
export const webhooks: Record<string, Way> = { webhook: approved };
