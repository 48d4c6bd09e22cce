/**
 * One order for each path of the diagram and each token of the payment provider, with the end that it must have. The
 * demo shows them, the flow tests assert them.
 */
import type { OrderStatus, StepState } from '@ticket-saga/contract/states';
import type { ReasonCode } from '@ticket-saga/contract/errors';
import { openOperations, operationsSettings } from './operations.ts';
import type { OrderView, Shop } from './shop.ts';

export type Scenario = {
  name: string;
  /** The body of `POST /orders`; the product may have to be made first. */
  order(shop: Shop): Promise<object> | object;
  /** Something happens on the way: called at each look at the order until it says that it has acted. */
  act?: (shop: Shop, order: OrderView) => Promise<boolean>;
  ends: {
    status: OrderStatus;
    reason?: ReasonCode;
    /** State of the payment once all is quiet. */
    payment?: string;
    /** States that the history must hold. */
    history?: string[];
    /** The step was seen in this state on the way. */
    seen?: { step: string; state: StepState };
  };
};

/** Long enough for a busy machine to ask for the payment before, and over before the slowest scenario is. */
const soon = 'PT15S';
const standard = { id: '1', quantity: 1 };
const paidBy = (token: string, deadline?: string) => ({
  items: [standard],
  payment: { token, ...(deadline === undefined ? {} : { deadline }) },
});
const confirmed: Scenario['ends'] = {
  status: 'CONFIRMED',
  payment: 'APPROVED',
  history: ['RESERVE_CREATED', 'PAYMENT_CREATED', 'PAYMENT_COMPLETED', 'ORDER_CONFIRMED'],
};
const timedOut = (payment: string): Scenario['ends'] => ({
  status: 'PAYMENT_NOT_COMPLETED',
  reason: 'PAYMENT_TIMEOUT',
  payment,
  history: ['PAYMENT_VOIDED', 'RESERVE_RELEASED', 'ORDER_CLOSED'],
});
const reinstatedAfter = (end: string): Scenario['ends'] => ({
  status: 'CONFIRMED',
  payment: 'APPROVED',
  history: [end, 'RESERVE_RELEASED', 'ORDER_CLOSED', 'PAYMENT_LATE', 'ORDER_REINSTATED'],
});
const awaitsPayment = (order: OrderView) => order.status === 'AWAITING_PAYMENT';

export const scenarios: Scenario[] = [
  { name: 'no token, up to the limit', order: () => ({ productId: '1', quantity: 1 }), ends: confirmed },
  {
    name: 'no token, above the limit',
    order: () => ({ productId: '1', quantity: 6 }),
    ends: {
      status: 'PAYMENT_NOT_COMPLETED',
      reason: 'PAYMENT_DECLINED',
      payment: 'DECLINED',
      history: ['PAYMENT_FAILED', 'RESERVE_RELEASED'],
    },
  },
  { name: 'tok_approve', order: () => paidBy('tok_approve'), ends: confirmed },
  {
    name: 'tok_decline',
    order: () => paidBy('tok_decline'),
    ends: {
      status: 'PAYMENT_NOT_COMPLETED',
      reason: 'PAYMENT_DECLINED',
      payment: 'DECLINED',
      history: ['PAYMENT_FAILED', 'RESERVE_RELEASED', 'ORDER_CLOSED'],
    },
  },
  { name: 'tok_slow', order: () => paidBy('tok_slow:2'), ends: confirmed },
  { name: 'tok_twice', order: () => paidBy('tok_twice'), ends: confirmed },
  { name: 'tok_early', order: () => paidBy('tok_early'), ends: confirmed },
  { name: 'tok_garbage', order: () => paidBy('tok_garbage'), ends: confirmed },
  {
    name: 'tok_flaky',
    order: () => paidBy('tok_flaky:2'),
    ends: { ...confirmed, seen: { step: 'RequestPayment', state: 'RETRYING' } },
  },
  { name: 'tok_never', order: () => paidBy('tok_never', soon), ends: timedOut('VOIDED') },
  {
    name: 'tok_late, reinstated',
    order: () => paidBy('tok_late', soon),
    ends: reinstatedAfter('PAYMENT_VOIDED'),
  },
  {
    name: 'tok_contradict, reinstated',
    order: () => paidBy('tok_contradict'),
    ends: reinstatedAfter('PAYMENT_FAILED'),
  },
  {
    name: 'tok_late, cancelled: the money goes back',
    order: () => paidBy('tok_late'),
    act: async (shop, order) => awaitsPayment(order) && (await shop.cancel(order.id)).status === 202,
    ends: {
      status: 'CANCELLED',
      reason: 'CANCELLED_BY_CUSTOMER',
      payment: 'REFUNDED',
      history: ['PAYMENT_VOIDED', 'ORDER_CLOSED', 'PAYMENT_LATE', 'PAYMENT_REFUNDED'],
    },
  },
  {
    name: 'tok_wrong_amount',
    order: () => paidBy('tok_wrong_amount', soon),
    ends: { status: 'PAYMENT_NOT_COMPLETED', reason: 'PAYMENT_TIMEOUT' },
  },
  {
    name: 'tok_down',
    // Tries and their waits take some 20 s; then the step is an incident until the time to pay is over.
    order: () => paidBy('tok_down', 'PT25S'),
    ends: { status: 'PAYMENT_NOT_COMPLETED', reason: 'PAYMENT_UNAVAILABLE', payment: 'VOIDED' },
  },
  {
    name: 'tok_manual, decided at the provider',
    order: () => paidBy('tok_manual'),
    act: async (shop, order) =>
      awaitsPayment(order) && (await shop.decideAtProvider(order.id, 'APPROVED').then(() => true)),
    ends: confirmed,
  },
  {
    name: 'tok_manual, approved by hand over Kafka',
    order: () => paidBy('tok_manual'),
    act: async (shop, order) =>
      awaitsPayment(order) && (await shop.sendPaymentEvent(order.id, 'PAYMENT_APPROVED').then(() => true)),
    ends: confirmed,
  },
  {
    name: 'tok_manual, declined by hand over Kafka',
    order: () => paidBy('tok_manual'),
    act: async (shop, order) =>
      awaitsPayment(order) && (await shop.sendPaymentEvent(order.id, 'PAYMENT_DECLINED').then(() => true)),
    ends: { status: 'PAYMENT_NOT_COMPLETED', reason: 'PAYMENT_DECLINED', payment: 'DECLINED' },
  },
  {
    name: 'cancelled while the payment is awaited',
    order: () => paidBy('tok_manual'),
    act: async (shop, order) => awaitsPayment(order) && (await shop.cancel(order.id)).status === 202,
    ends: {
      status: 'CANCELLED',
      reason: 'CANCELLED_BY_CUSTOMER',
      payment: 'VOIDED',
      history: ['CANCEL_REQUESTED', 'RESERVE_RELEASED', 'ORDER_CLOSED'],
    },
  },
  {
    name: 'aborted by an operator',
    order: () => paidBy('tok_manual'),
    // 409 to whoever asks again because there was no answer: it was asked before.
    act: async (shop, order) => awaitsPayment(order) && [202, 409].includes((await shop.abort(order.id)).status),
    ends: {
      status: 'CANCELLED',
      reason: 'ABORTED_BY_OPERATOR',
      payment: 'VOIDED',
      history: ['RESERVE_RELEASED', 'ORDER_CLOSED'],
    },
  },
  {
    name: 'confirmed, then refunded by an operator',
    order: () => paidBy('tok_approve'),
    act: async (_, order) =>
      order.status === 'CONFIRMED' &&
      (await openOperations(operationsSettings())
        .refund({ orderId: order.id, reason: 'goodwill' })
        .then(() => true)),
    ends: {
      status: 'REFUNDED',
      reason: 'REFUNDED_BY_OPERATOR',
      payment: 'REFUNDED',
      history: ['ORDER_CONFIRMED', 'PAYMENT_REFUNDED', 'RESERVE_RELEASED', 'ORDER_REFUNDED'],
    },
  },
  {
    name: 'sold out',
    order: async (shop) => ({ productId: (await shop.addProduct(1)).id, quantity: 2 }),
    ends: { status: 'REJECTED', reason: 'SOLD_OUT', history: ['RESERVE_FAILED', 'ORDER_REJECTED'] },
  },
  {
    name: 'the customer saw another price',
    order: () => ({ items: [{ ...standard, amount: 10.5 }] }),
    ends: { status: 'REJECTED', reason: 'PRICE_CHANGED', history: ['RESERVE_FAILED', 'ORDER_REJECTED'] },
  },
];
