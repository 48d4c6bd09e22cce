/**
 * The steps of the process that deal with the provider: request a payment, close it at its deadline, cancel it. Each
 * commits its intent, calls, and commits the outcome; a run in any state but the intent makes no call (ARCHITECTURE 5).
 */
import type { jobs } from '@ticket-saga/contract/jobs';
import type { PaymentOutcome } from '@ticket-saga/contract/states';
import type { Context } from '@ticket-saga/runtime/job';
import { addToOutbox } from '@ticket-saga/runtime/outbox';
import type { z } from 'zod';
import { change } from './change.ts';
import { factsOf } from './events.ts';
import { accept, type Move, startRefund, startVoid } from './moves.ts';
import { paymentIdOf } from './payment-id.ts';
import { insertRequested, type Payment, readByOrder } from './payment-row.ts';
import { type Parts, settle } from './settle.ts';

/** Asks the provider for the money, unless the time to pay is over or the payment has moved on. */
export async function requestPayment(
  parts: Parts,
  input: z.output<typeof jobs.requestPayment.input>,
  context: Context,
): Promise<Record<string, never>> {
  const { orderId, total, payBy, paymentToken } = input;
  const wanted = { id: paymentIdOf(orderId), orderId, amount: total, token: paymentToken ?? null, payBy };
  const payment = (await insertRequested(parts.db, wanted)) ?? (await readByOrder(parts.db, orderId));
  if (payment?.state === 'REQUESTED' && !payment.accepted && payment.inTime) {
    const answer = await parts.provider.request(payment);
    // VOIDED: the provider knew of the cancel before it heard of the request.
    if (answer.status !== 'VOIDED') {
      const timeline = (move: Move) => context.completed(factsOf(move));
      const { moved } = await change(parts, payment, (now) => accept(now, answer.id), { timeline });
      if (moved) return {};
    }
  }
  await addToOutbox(parts.db, [context.completed()]);
  return {};
}

/** At the deadline: voids the payment, unless it was decided after all, and says what it is. */
export async function closePayment(
  parts: Parts,
  { orderId }: { orderId: string },
  context: Context,
): Promise<{ paymentOutcome: PaymentOutcome }> {
  const payment = await settle(parts, orderId, context, startVoid);
  await addToOutbox(parts.db, [context.completed()]);
  return { paymentOutcome: outcomeOf(payment) };
}

/**
 * The undo of `requestPayment`: voids what is open, refunds what is approved. Late money is not its business, also when
 * it was accepted: a worker of the ended order that wakes up late must not take it from the reinstated one. Only the
 * refund of the order itself gives that back too (`orderRefund`).
 */
export async function cancelPayment(
  parts: Parts,
  { orderId, orderRefund }: z.output<typeof jobs.cancelPayment.input>,
  context: Context,
): Promise<Record<string, never>> {
  await settle(parts, orderId, context, (payment) => {
    const own = payment.reinstatedBy === null || orderRefund === true;
    return payment.state === 'APPROVED' && own ? startRefund(payment) : startVoid(payment);
  });
  await addToOutbox(parts.db, [context.completed()]);
  return {};
}

/** What the process is told. A late approval changes nothing about how the payment ended before it. */
function outcomeOf({ state, lateAfter }: Payment): PaymentOutcome {
  if (lateAfter !== null) return lateAfter;
  return state === 'APPROVED' || state === 'DECLINED' ? state : 'VOIDED';
}
