/**
 * Which order comes to which crash point: for each task of the diagrams, each consumer, outbox, call and route the
 * scenario that leads there. What has no way here has no row in the matrix, and fails its test.
 */
import { lateReservation, latePaymentVariables } from '../../contract/jobs.ts';
import type { Scenario } from '../../tools/scenarios.ts';
import { openOperations, operationsSettings } from '../../tools/operations.ts';
import { scenarios } from '../../tools/scenarios.ts';
import type { OrderView } from '../../tools/shop.ts';

export type Way = {
  scenario: Scenario;
  /** ISO 8601: instead of the scenario's own, which is too short for a step that is taken up twice. */
  deadline?: string;
  /** As right an end, where a death made the order pass its scenario's turn: another order is sent to the point then. */
  orElse?: Scenario['ends'];
  /** What must have happened besides, where the order's end alone does not show that all is over. */
  isOver?: (order: OrderView) => boolean;
};

const named = (name: string): Scenario => {
  const scenario = scenarios.find((one) => one.name === name);
  if (!scenario) throw new Error(`tools/scenarios.ts has no "${name}".`);
  return scenario;
};
/** Longer than a lost job waits for another worker. */
const long = 'PT40S';

const approved: Way = { scenario: named('tok_approve') };
const declined: Way = { scenario: named('tok_decline') };
const soldOut: Way = { scenario: named('sold out') };
/** The deadline came before the request was back from the dead: the same end for another reason. */
const unavailable: Scenario['ends'] = { status: 'PAYMENT_NOT_COMPLETED', reason: 'PAYMENT_UNAVAILABLE' };
const unpaid: Way = { scenario: named('tok_never'), deadline: long, orElse: unavailable };
const wrongAmount: Way = { scenario: named('tok_wrong_amount'), deadline: long, orElse: unavailable };
const byHand: Way = { scenario: named('tok_manual, approved by hand over Kafka') };
const cancelled: Way = { scenario: named('cancelled while the payment is awaited') };
const aborted: Way = { scenario: named('aborted by an operator') };

/** payment-service was away when the provider declined, and hears only of the approval: it is in time. */
const reinstated: Way = {
  scenario: named('tok_contradict, reinstated'),
  orElse: { status: 'CONFIRMED', payment: 'APPROVED' },
};
/** The void was called twice, and the second time the provider had approved: that is refunded by the saga itself. */
const lateRefunded: Way = {
  scenario: named('tok_late, cancelled: the money goes back'),
  orElse: { status: 'CANCELLED', reason: 'CANCELLED_BY_CUSTOMER', payment: 'REFUNDED' },
};
/** Late money is announced that has gone back already: what was taken again for it is undone. */
const notLate: Way = {
  scenario: {
    ...named('tok_wrong_amount'),
    name: 'late money that was none',
    act: async (shop, { id, finished, payment }) => {
      const variables = { reservationId: lateReservation(id), paymentDeadline: 'PT5M', reinstateWithin: 'PT1H' };
      // Its customer hears of the money a moment after the end.
      const gaveBack = finished && payment?.state === 'REFUNDED';
      if (gaveBack)
        await shop.engine.startProcess('late-payment', latePaymentVariables.parse({ orderId: id, ...variables }));
      return gaveBack;
    },
  },
  deadline: long,
  orElse: unavailable,
  // Ended before the provider took any money: none has gone back, and another order tries.
  isOver: ({ payment, reason, history }) =>
    history.filter(({ state }) => state === 'RESERVE_RELEASED').length === 2 ||
    (reason?.code === unavailable.reason && payment?.state !== 'REFUNDED'),
};
const refunded: Way = { scenario: named('confirmed, then refunded by an operator') };
/** Whoever got no answer asks again, until the order shows that it goes on. */
const retried: Way = {
  scenario: {
    ...named('tok_approve'),
    name: 'stuck, then retried by an operator',
    order: () => ({ items: [{ id: '1', quantity: 1 }], payment: { token: 'tok_flaky:5' } }),
    act: async (_shop, { id, steps }) => {
      const stuck = steps.find(({ state }) => state === 'STUCK');
      if (stuck) await openOperations(operationsSettings()).retryStep(id, stuck.id, { reason: 'the crash matrix' });
      return stuck !== undefined;
    },
  },
};

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
  CheckLatePayment: reinstated,
  ReserveLateTickets: reinstated,
  ConfirmLateTickets: reinstated,
  AcceptPayment: reinstated,
  ReinstateOrder: reinstated,
  ReleaseLateTickets: notLate,
  RefundLatePayment: lateRefunded,
  NoteRefund: lateRefunded,
  StartRefund: refunded,
  RefundPayment: refunded,
  ReleaseRefundedTickets: refunded,
  CloseRefundedOrder: refunded,
};

/** By the name of the consumer group, which is `<service>.<topic>`. `catalog` is armed by the product. */
export const consumers: Record<string, Way> = {
  'orchestrator.created-orders': approved,
  'orchestrator.payment-event': approved,
  'payment-service.payment-event': byHand,
  'order-service.order-steps': approved,
  'order-service.catalog': approved,
  'order-service.dead-letters': wrongAmount,
  'orchestrator.dead-letters': wrongAmount,
};

/** By what the orchestrator tells the engine between a message and its mark in the inbox. */
export const engineCalls: Record<string, Way> = {
  'engine start ticket-order': approved,
  'engine message cancel-order': cancelled,
  'engine message abort-order': aborted,
  'engine told PAYMENT_APPROVED': approved,
  'engine told PAYMENT_DECLINED': declined,
  'engine told PAYMENT_LATE': reinstated,
};

/** What operators have done on the engine without a message that could come again. */
export const acts: Record<string, Way> = {
  'start refund-order': refunded,
  'retry step': retried,
};

/** The place where each process is started, by its id. */
export const starts: Record<string, string> = {
  'ticket-order': 'engine start ticket-order',
  'late-payment': 'engine told PAYMENT_LATE',
  'refund-order': 'start refund-order',
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
  'POST /operations/orders/:id/abort': aborted,
  'POST /operations/orders/:id/steps/:elementId/retry': retried,
  'POST /operations/refunds': refunded,
};

/** Other actions of operators, and why they need no row. */
export const withoutRows: Record<string, string> = {
  'POST /operations/stuck/retry': 'does what the retry of one step does; what a death leaves out is stuck still',
  'POST /operations/orders/:id/republish-payment': 'one statement of payment-service; a second event changes nothing',
  'POST /operations/dead-letters/:id/replay': 'one statement: decision, message and audit entry',
  'POST /operations/dead-letters/:id/discard': 'one statement: decision and audit entry',
  'POST /operations/dead-letters/replay':
    'letter by letter as the replay of one; asked again, it goes on with the rest',
  'POST /operations/reconciliation': 'a run that dies shows as BROKEN_OFF; the next one finds what it had left',
};

export const webhooks: Record<string, Way> = { webhook: approved };
