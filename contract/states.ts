/** The words that the services, the diagrams and the HTTP contract share for the state of things. */
import { z } from 'zod';

/** Status of an order as its customer sees it. The first three are on the way, the others final. */
export const orderStatus = z.enum([
  'PENDING',
  'AWAITING_PAYMENT',
  'COMPENSATING',
  'CONFIRMED',
  'REJECTED',
  'PAYMENT_NOT_COMPLETED',
  'CANCELLED',
  'REFUNDED',
]);
export type OrderStatus = z.infer<typeof orderStatus>;

/** An order on the way only ever moves to the right in this list. */
export const statusOnTheWay = ['PENDING', 'AWAITING_PAYMENT', 'COMPENSATING'] as const satisfies OrderStatus[];

export function isFinal(status: OrderStatus): boolean {
  return !(statusOnTheWay as readonly OrderStatus[]).includes(status);
}

/** The phases of the order as operators of the order-processing system (A) know them. */
export const stage = z.enum(['Scheduling', 'Pre-Processing', 'Processing', 'Post-Processing', 'Completed', 'Failed']);
export type Stage = z.infer<typeof stage>;

/** State of one step (a box of the diagram) in an order's timeline. */
export const stepState = z.enum(['WAITING', 'RUNNING', 'RETRYING', 'STUCK', 'COMPLETED', 'FAILED', 'ROLLED_BACK']);
export type StepState = z.infer<typeof stepState>;

/** What an order's `history` may hold: the six states of the Kafka system (C) first, then ours. */
export const historyState = z.enum([
  'ORDER_CREATED',
  'RESERVE_CREATED',
  'RESERVE_FAILED',
  'PAYMENT_CREATED',
  'PAYMENT_COMPLETED',
  'PAYMENT_FAILED',
  'RESERVE_RELEASED',
  'PAYMENT_VOIDED',
  'PAYMENT_LATE',
  'PAYMENT_REFUNDED',
  'CANCEL_REQUESTED',
  'CANCEL_TOO_LATE',
  'ORDER_CONFIRMED',
  'ORDER_REJECTED',
  'ORDER_CLOSED',
  'ORDER_REINSTATED',
  'ORDER_REFUNDED',
]);
export type HistoryState = z.infer<typeof historyState>;

/**
 * State of a payment. REQUESTED, VOIDING and REFUNDING are intents: a call to the provider is due. The others are
 * outcomes. LATE is an approval that came after the payment was declined or voided.
 */
export const paymentState = z.enum([
  'REQUESTED',
  'APPROVED',
  'DECLINED',
  'VOIDING',
  'VOIDED',
  'LATE',
  'REFUNDING',
  'REFUNDED',
]);
export type PaymentState = z.infer<typeof paymentState>;

/** State of a reservation; REJECTED keeps its error code so that a repeat gets the same answer. */
export const reservationState = z.enum(['HELD', 'REJECTED', 'CONFIRMED', 'RELEASED', 'EXPIRED']);
export type ReservationState = z.infer<typeof reservationState>;

/** What the process learns about the money: by callback, or by asking the provider at the deadline. */
export const paymentOutcome = z.enum(['APPROVED', 'DECLINED', 'VOIDED']);
export type PaymentOutcome = z.infer<typeof paymentOutcome>;
