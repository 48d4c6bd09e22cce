/** What payment-service tells others: signed payment events, facts for the timeline, dead letters. */
import { type FactNoted, type PaymentEvent, signatureHeader, topics } from '@ticket-saga/contract/topics';
import { deadLetterOf, type DeadSource } from '@ticket-saga/runtime/dead-letters';
import type { OutboxEvent } from '@ticket-saga/runtime/outbox';
import { sign } from '@ticket-saga/runtime/signature';
import type { StepFacts } from '@ticket-saga/runtime/step-events';
import type { Move } from './moves.ts';
import type { Payment } from './payment-row.ts';

/** Unique for each change of each payment. */
function keyOf(after: Payment, what: string): string {
  return `payment:${after.id}:${after.version + 1}:${what}`;
}

export function factsOf({ after, history }: Move): StepFacts {
  return { ...(history.length > 0 ? { history } : {}), payment: { state: after.state } };
}

/** The timeline's event for a change that no step of the process made. */
export function factEvent(move: Move): OutboxEvent {
  return { topic: topics.orderSteps, key: move.after.orderId, value: factOf(move) };
}

/** As `factEvent`, for a change that a repair made: its order need not exist. */
export function repairEvent(move: Move): OutboxEvent {
  const value: FactNoted = { ...factOf(move), repair: true };
  return { topic: topics.orderSteps, key: move.after.orderId, value };
}

function factOf({ after, history }: Move): FactNoted {
  return {
    idempotencyKey: keyOf(after, 'FACT'),
    type: 'FACT',
    orderId: after.orderId,
    occurredAt: new Date().toISOString(),
    history,
    payment: { state: after.state },
  };
}

/** The orchestrator believes only what carries the signature, which is over the very bytes that are sent. */
export function paymentEvents({ after, tell }: Move, eventSecret: string): OutboxEvent[] {
  return tell ? [paymentEvent(after, tell, eventSecret, keyOf(after, tell.type))] : [];
}

export function paymentEvent(
  payment: Payment,
  tell: NonNullable<Move['tell']>,
  eventSecret: string,
  idempotencyKey: string,
): OutboxEvent {
  const value: PaymentEvent = {
    idempotencyKey,
    type: tell.type,
    orderId: payment.orderId,
    occurredAt: new Date().toISOString(),
    paymentId: payment.id,
    amount: payment.amount,
    ...(tell.reason === undefined ? {} : { reason: tell.reason }),
  };
  const headers = { [signatureHeader]: sign(eventSecret, JSON.stringify(value)) };
  return { topic: topics.paymentEvent, key: payment.orderId, value, headers };
}

/** An approval of another amount than asked is kept for a person, once for each amount. */
export function amountMismatch(payment: Payment, approved: { amount: number; currency: string }, raw: DeadSource) {
  const letter = deadLetterOf(
    'payment-service',
    { ...raw, key: payment.orderId },
    {
      code: 'AMOUNT_MISMATCH',
      message: `The provider approved ${approved.amount} ${approved.currency} (minor units), asked were ${payment.amount} ${payment.currency}.`,
    },
  );
  const idempotencyKey = `dead:payment-service:amount:${payment.id}:${approved.amount}:${approved.currency}`;
  const value = { ...letter, idempotencyKey, orderId: payment.orderId };
  return { topic: topics.deadLetters, key: payment.orderId, value } satisfies OutboxEvent;
}
