/** Tells a decided payment once more, for an operator: the message of the first time may have expired unheard. */
import { randomUUID } from 'node:crypto';
import type { PaymentState } from '@ticket-saga/contract/states';
import { type Db, sql } from '@ticket-saga/runtime/database';
import { insertIntoOutbox } from '@ticket-saga/runtime/outbox';
import { Problem } from '@ticket-saga/runtime/problem';
import { paymentEvent } from './events.ts';
import type { Move } from './moves.ts';
import { readByOrder } from './payment-row.ts';

const told: Partial<Record<PaymentState, NonNullable<Move['tell']>['type']>> = {
  APPROVED: 'PAYMENT_APPROVED',
  DECLINED: 'PAYMENT_DECLINED',
  LATE: 'PAYMENT_LATE',
};

/** Throws 404 PAYMENT_NOT_FOUND; 409 STALE_ACTION when nothing is decided, or it was given back. */
export async function republish(
  { db, eventSecret }: { db: Db; eventSecret: string },
  orderId: string,
): Promise<{ type: string; idempotencyKey: string }> {
  const payment = await readByOrder(db, orderId);
  if (!payment) throw new Problem('PAYMENT_NOT_FOUND', `No payment belongs to the order ${orderId}.`);
  const type = told[payment.state];
  const stale = new Problem('STALE_ACTION', `The payment is ${payment.state}: that is no result to tell.`);
  if (type === undefined) throw stale;
  const reason = payment.declineReason === null || type !== 'PAYMENT_DECLINED' ? {} : { reason: payment.declineReason };
  const idempotencyKey = `payment:${payment.id}:${payment.version}:again:${randomUUID()}`;
  const event = paymentEvent(payment, { type, ...reason }, eventSecret, idempotencyKey);
  const unchanged = sql.sql`exists (select from payment where id = ${payment.id}::uuid and version = ${payment.version})`;
  const written = await db.$executeRaw(insertIntoOutbox([event], unchanged));
  if (written === 0) throw stale;
  return { type, idempotencyKey };
}
