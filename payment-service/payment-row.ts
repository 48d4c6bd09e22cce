/** The row of a payment: read, and written only where nobody wrote in between. Every race is decided here. */
import type { PaymentState } from '@ticket-saga/contract/states';
import { type Db, sql } from '@ticket-saga/runtime/database';
import { insertIntoOutbox, type OutboxEvent } from '@ticket-saga/runtime/outbox';

export type Payment = {
  id: string;
  orderId: string;
  /** Minor units; 0 on the tombstone of a payment that was cancelled before it was requested. */
  amount: number;
  currency: string;
  token: string | null;
  state: PaymentState;
  /** Who decided. */
  source: 'provider' | 'manual';
  providerReference: string | null;
  declineReason: string | null;
  /** What a LATE payment was before the approval came too late. */
  lateAfter: 'DECLINED' | 'VOIDED' | null;
  /** The process instance that has accepted late money for its order; null for money that came in time. */
  reinstatedBy: string | null;
  /** The provider is known to have accepted the request. */
  accepted: boolean;
  /** The time to pay is not over, by the database's clock. */
  inTime: boolean;
  payBy: Date | null;
  version: number;
  createdAt: Date;
  updatedAt: Date;
};

/** A call of the provider's webhook that is booked with the change it makes. */
export type HeardCall = { eventId: string; type: string };

const columns = sql.sql`id, order_id as "orderId", amount, currency, token, state, source,
  provider_reference as "providerReference", decline_reason as "declineReason", late_after as "lateAfter",
  reinstated_by as "reinstatedBy",
  accepted_at is not null as accepted, coalesce(now() < pay_by, false) as "inTime", pay_by as "payBy", version,
  created_at as "createdAt", updated_at as "updatedAt"`;

export async function readByOrder(db: Db, orderId: string): Promise<Payment | undefined> {
  const rows = await db.$queryRaw<Payment[]>`select ${columns} from payment where order_id = ${orderId}::uuid`;
  return rows[0];
}

export async function readById(db: Db, id: string): Promise<Payment | undefined> {
  const rows = await db.$queryRaw<Payment[]>`select ${columns} from payment where id = ${id}::uuid`;
  return rows[0];
}

export type NewPayment = { id: string; orderId: string; amount: number; token: string | null; payBy: string };

/** Writes the intent to request. Nothing is written, and undefined returned, when the row is there or it is past `payBy`. */
export async function insertRequested(db: Db, payment: NewPayment): Promise<Payment | undefined> {
  const { id, orderId, amount, token, payBy } = payment;
  const rows = await db.$queryRaw<Payment[]>`
    insert into payment (id, order_id, amount, token, state, pay_by)
    select ${id}::uuid, ${orderId}::uuid, ${amount}, ${token}, 'REQUESTED', ${payBy}::timestamptz
    where now() < ${payBy}::timestamptz
    on conflict (order_id) do nothing
    returning ${columns}`;
  return rows[0];
}

/** Writes VOIDED for a payment that nobody requested, so that a later request is refused. `events` only if it is new. */
export async function insertTombstone(
  db: Db,
  { id, orderId }: { id: string; orderId: string },
  events: OutboxEvent[],
): Promise<Payment | undefined> {
  const rows = await db.$queryRaw<Payment[]>`
    with entombed as (
      insert into payment (id, order_id, amount, state) values (${id}::uuid, ${orderId}::uuid, 0, 'VOIDED')
      on conflict (order_id) do nothing
      returning *
    ), told as (${insertIntoOutbox(events, sql.sql`exists (select from entombed)`)})
    select ${columns} from entombed`;
  return rows[0];
}

/** The compare-and-set: false, and nothing is written, when the row has changed since `after.version` was read. */
export async function write(db: Db, after: Payment, events: OutboxEvent[], heard?: HeardCall): Promise<boolean> {
  const written = sql.sql`exists (select from written)`;
  const rows = await db.$queryRaw<unknown[]>`
    with written as (
      update payment set state = ${after.state}, source = ${after.source}, provider_reference = ${after.providerReference},
        decline_reason = ${after.declineReason}, late_after = ${after.lateAfter}, reinstated_by = ${after.reinstatedBy}, version = version + 1, updated_at = now(),
        accepted_at = case when ${after.accepted} then coalesce(accepted_at, now()) end
      where id = ${after.id}::uuid and version = ${after.version}
      returning id
    ), told as (${insertIntoOutbox(events, written)}
    ), noted as (
      insert into webhook_call (event_id, payment_id, type)
      select ${heard?.eventId ?? ''}, ${after.id}::uuid, ${heard?.type ?? ''} where ${heard !== undefined} and ${written}
      on conflict (event_id) do nothing
    )
    select id from written`;
  return rows.length > 0;
}

export async function isHeard(db: Db, eventId: string): Promise<boolean> {
  const rows = await db.$queryRaw<unknown[]>`select 1 from webhook_call where event_id = ${eventId}`;
  return rows.length > 0;
}

/** Notes a call that changed no payment, and what is to be told of it. */
export async function noteCall(db: Db, paymentId: string, heard: HeardCall | undefined, events: OutboxEvent[]) {
  await db.$executeRaw`
    with noted as (
      insert into webhook_call (event_id, payment_id, type)
      select ${heard?.eventId ?? ''}, ${paymentId}::uuid, ${heard?.type ?? ''} where ${heard !== undefined}
      on conflict (event_id) do nothing
    )
    ${insertIntoOutbox(events)}`;
}
