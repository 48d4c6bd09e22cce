/**
 * Late money (ARCHITECTURE 3, `late-payment`): it is accepted for an order that is about to be reinstated, or given
 * back. LATE → APPROVED and LATE → REFUNDING exclude each other on the payment's row; accepted money belongs to the
 * process instance that accepted it, so a second instance for the same order never refunds what the first one accepted.
 */
import { bpmnErrors } from '@ticket-saga/contract/errors';
import type { jobs } from '@ticket-saga/contract/jobs';
import type { PaymentState } from '@ticket-saga/contract/states';
import { BusinessError, PermanentError } from '@ticket-saga/runtime/errors';
import type { Context } from '@ticket-saga/runtime/job';
import { addToOutbox } from '@ticket-saga/runtime/outbox';
import type { z } from 'zod';
import { change } from './change.ts';
import { factsOf } from './events.ts';
import { acceptLate, type Move, startLateRefund } from './moves.ts';
import { type Payment, readByOrder } from './payment-row.ts';
import { type Parts, settle } from './settle.ts';

/**
 * Accepts late money for the order whose tickets were taken again.
 * @throws BusinessError PAYMENT_NOT_LATE when it was given back, or another instance decides about it
 */
export async function acceptPayment(
  parts: Omit<Parts, 'provider'>,
  { orderId }: z.output<typeof jobs.acceptPayment.input>,
  context: Context,
): Promise<Record<string, never>> {
  const by = context.processInstanceKey;
  const known = await readByOrder(parts.db, orderId);
  const timeline = (move: Move) => context.completed(factsOf(move));
  const payment = known && (await change(parts, known, (now) => acceptLate(now, by), { timeline })).payment;
  if (payment?.state === 'APPROVED' && payment.reinstatedBy === by) {
    await addToOutbox(parts.db, [context.completed()]);
    return {};
  }
  await addToOutbox(parts.db, [context.failed('PAYMENT_NOT_LATE', bpmnErrors.PAYMENT_NOT_LATE)]);
  throw new BusinessError('PAYMENT_NOT_LATE');
}

/** The states in which the provider has taken the money, or had. */
const taken: PaymentState[] = ['LATE', 'APPROVED', 'REFUNDING', 'REFUNDED'];

/**
 * Gives late money back, once; also what this very instance accepted before its order turned out not to be reinstated.
 * @throws BusinessError DUPLICATE_PROCESS when another instance has accepted it, or it came in time; PermanentError
 *   PAYMENT_NOT_LATE when no money was taken: the order must not read that it was given back
 */
export async function refundPayment(
  parts: Parts,
  { orderId }: z.output<typeof jobs.refundPayment.input>,
  context: Context,
): Promise<Record<string, never>> {
  const by = context.processInstanceKey;
  const known = await readByOrder(parts.db, orderId);
  if (!known || !taken.includes(known.state))
    throw new PermanentError('PAYMENT_NOT_LATE', `The payment is ${known?.state ?? 'unknown'}: no money came late.`);
  const payment = isOfAnother(known, by)
    ? known
    : await settle(parts, orderId, context, (now) => startLateRefund(now, by));
  if (isOfAnother(payment, by)) {
    await addToOutbox(parts.db, [context.failed('DUPLICATE_PROCESS', bpmnErrors.DUPLICATE_PROCESS)]);
    throw new BusinessError('DUPLICATE_PROCESS');
  }
  await addToOutbox(parts.db, [context.completed()]);
  return {};
}

function isOfAnother({ state, reinstatedBy }: Payment, by: string): boolean {
  return reinstatedBy === null ? state === 'APPROVED' : reinstatedBy !== by;
}
