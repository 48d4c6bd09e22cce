/**
 * Hand-written events on `payment-event` (`tok_manual`, acting out a service). The orchestrator does not believe them;
 * here they are booked like any other decision, and what was booked is told by an event of ours, which is signed.
 */
import { type PaymentEvent, signatureHeader } from '@ticket-saga/contract/topics';
import type { MessageMeta } from '@ticket-saga/runtime/consumer';
import { PermanentError } from '@ticket-saga/runtime/errors';
import { isSigned } from '@ticket-saga/runtime/signature';
import type { ChangeParts } from './change.ts';
import { bookDecision } from './decisions.ts';
import { readByOrder } from './payment-row.ts';

/** Throws `PermanentError` (→ dead letter) for what cannot be booked. In JWT mode the orchestrator sees to the unsigned. */
export async function bookManual(
  parts: ChangeParts,
  authMode: 'local' | 'jwt',
  event: PaymentEvent,
  { headers, rawValue, source: raw }: MessageMeta,
): Promise<void> {
  if (authMode === 'jwt' || isSigned(parts.eventSecret, rawValue, headers[signatureHeader])) return;
  if (event.type === 'PAYMENT_LATE') {
    throw new PermanentError('NOT_BELIEVED', 'Whether an approval is late is decided here: write PAYMENT_APPROVED.');
  }
  const payment = await readByOrder(parts.db, event.orderId);
  if (!payment || (event.paymentId !== undefined && event.paymentId !== payment.id)) {
    throw new PermanentError('UNKNOWN_PAYMENT', 'The order has no such payment.');
  }
  if (event.amount !== undefined && event.amount !== payment.amount) {
    const asked = `${payment.amount} ${payment.currency} (minor units)`;
    throw new PermanentError('AMOUNT_MISMATCH', `The event says ${event.amount}, asked were ${asked}.`);
  }
  const { amount, currency } = payment;
  const reason = event.reason ?? 'declined by hand';
  const verdict =
    event.type === 'PAYMENT_APPROVED'
      ? { verdict: 'APPROVED' as const, amount, currency }
      : { verdict: 'DECLINED' as const, reason };
  await bookDecision(parts, payment, { source: 'manual', raw, ...verdict });
}
