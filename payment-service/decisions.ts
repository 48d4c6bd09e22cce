/** Books what was decided outside: told by webhook, learned by asking, or written by hand. Only the row decides a race. */
import type { DeadSource } from '@ticket-saga/runtime/dead-letters';
import { change, type ChangeParts } from './change.ts';
import { amountMismatch } from './events.ts';
import { approve, decline } from './moves.ts';
import { isAsAsked } from './provider.ts';
import { type HeardCall, isHeard, noteCall, type Payment } from './payment-row.ts';

export type Decision = {
  source: Payment['source'];
  /** What came, whole: for the dead letter. */
  raw: DeadSource;
  /** The webhook's call, so that its repeat is known. */
  heard?: HeardCall;
} & ({ verdict: 'APPROVED'; amount: number; currency: string } | { verdict: 'DECLINED'; reason: string });

/** `ignored`: it changes nothing, as a second approval or a decline after an approval. */
export type Booked = 'booked' | 'repeat' | 'ignored' | 'amount-mismatch';

export async function bookDecision(parts: ChangeParts, payment: Payment, decision: Decision): Promise<Booked> {
  const { heard, source } = decision;
  if (heard && (await isHeard(parts.db, heard.eventId))) return 'repeat';
  const { orderId, id: paymentId } = payment;
  if (decision.verdict === 'APPROVED' && !isAsAsked(payment, decision)) {
    await noteCall(parts.db, paymentId, heard, [amountMismatch(payment, decision, decision.raw)]);
    parts.logger.error('another amount was approved than asked', { orderId, paymentId, amount: decision.amount });
    return 'amount-mismatch';
  }
  const move = (now: Payment) =>
    decision.verdict === 'APPROVED' ? approve(now, source) : decline(now, source, decision.reason);
  const { payment: now, moved } = await change(parts, payment, move, heard ? { heard } : {});
  if (moved) return 'booked';
  if (heard) await noteCall(parts.db, paymentId, heard, []);
  parts.logger.info('decision changes nothing', { orderId, paymentId, state: now.state, verdict: decision.verdict });
  return 'ignored';
}
