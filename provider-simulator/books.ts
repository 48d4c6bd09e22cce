/** The provider's books: create, void, refund, decide, look up. Each is safe to repeat. */
import { createHash } from 'node:crypto';
import { type Db, sql } from '@ticket-saga/runtime/database';
import { Problem } from '@ticket-saga/runtime/problem';
import { v7 as uuidV7 } from 'uuid';
import type { Behaviour, Decision } from './tokens.ts';

export type PaymentStatus = 'PENDING' | 'APPROVED' | 'DECLINED' | 'VOIDED' | 'REFUNDED';
export type ProviderPayment = {
  id: string;
  reference: string;
  status: PaymentStatus;
  amount: number;
  currency: string;
  token: string | null;
  approvedAmount: number | null;
  refundedAmount: number;
  declineReason: string | null;
  createdAt: Date;
  updatedAt: Date;
};
export type Request = { reference: string; amount: number; currency: string; token?: string; callbackUrl: string };

const columns = sql.sql`id, reference, status, amount, currency, token, approved_amount as "approvedAmount",
  refunded_amount as "refundedAmount", decline_reason as "declineReason", created_at as "createdAt", updated_at as "updatedAt"`;

/** Counts the calls under an idempotency key; refuses a key that was used for something else. Returns the count. */
export async function countCall(db: Db, key: string, request: unknown): Promise<number> {
  const hash = createHash('sha256').update(JSON.stringify(request)).digest('hex');
  const rows = await db.$queryRaw<{ calls: number }[]>`
    insert into api_call (key, request_hash) values (${key}, ${hash})
    on conflict (key) do update set calls = api_call.calls + 1 where api_call.request_hash = excluded.request_hash
    returning calls`;
  if (!rows[0]) {
    throw new Problem('IDEMPOTENCY_KEY_REUSED', `The key ${key} was used with another request.`, [
      { path: 'Idempotency-Key', message: 'was used with another request' },
    ]);
  }
  return rows[0].calls;
}

/** Accepts a payment with all that its behaviour makes due. One that is there already stays as it is. */
export async function create(db: Db, request: Request, behaviour: Behaviour): Promise<ProviderPayment> {
  const { reference, amount, currency, token, callbackUrl } = request;
  const garbage = `{"id":"${uuidV7()}","type":"payment.appr`;
  await db.$executeRaw`
    with accepted as (
      insert into payment (id, reference, amount, currency, token, status, callback_url)
      values (${uuidV7()}::uuid, ${reference}, ${amount}, ${currency}, ${token ?? null}, 'PENDING', ${callbackUrl})
      on conflict (reference) do nothing returning id
    ), malformed as (
      insert into webhook (payment_id, body, once) select id, ${garbage}, true from accepted where ${behaviour.garbageFirst}
    )
    ${planDecisions(behaviour.decisions, sql.sql`accepted`)}`;
  const payment = await find(db, reference);
  if (payment.status !== 'VOIDED' && (payment.amount !== amount || payment.currency !== currency)) {
    throw new Problem('ALREADY_EXISTS', `The reference ${reference} belongs to a payment of another amount.`);
  }
  return payment;
}

/**
 * Voids what is not decided yet; what is decided stays, and the answer says so. A payment never seen is voided in
 * advance: its tombstone refuses a later request.
 */
export async function voidPayment(
  db: Db,
  reference: string,
  behaviourOf: (payment: ProviderPayment) => Behaviour,
): Promise<ProviderPayment> {
  await db.$executeRaw`
    insert into payment (id, reference, amount, currency, status) values (${uuidV7()}::uuid, ${reference}, 0, 'GBP', 'VOIDED')
    on conflict (reference) do nothing`;
  const { afterVoid } = behaviourOf(await find(db, reference));
  await db.$executeRaw`
    with voided as (
      update payment set status = 'VOIDED', updated_at = now() where reference = ${reference} and status = 'PENDING' returning id
    )
    ${planDecisions(afterVoid, sql.sql`voided`)}`;
  return find(db, reference);
}

/** Gives all of an approved payment back, once. Any other stays as it is, and the answer says so. */
export async function refund(db: Db, reference: string): Promise<ProviderPayment> {
  await db.$executeRaw`
    update payment set status = 'REFUNDED', refunded_amount = approved_amount, updated_at = now()
    where reference = ${reference} and status = 'APPROVED'`;
  return find(db, reference);
}

/** A person decides a payment that waits; one that is decided stays as it is. */
export async function decide(
  db: Db,
  reference: string,
  verdict: 'APPROVED' | 'DECLINED',
  reason?: string,
): Promise<ProviderPayment> {
  const { amount } = await find(db, reference);
  const decision: Decision = { verdict, amount, afterMs: 0, ...(reason === undefined ? {} : { reason }) };
  const pending = sql.sql`(select id from payment where reference = ${reference} and status = 'PENDING') as pending`;
  await db.$executeRaw`${planDecisions([decision], pending)}`;
  return find(db, reference);
}

/** SQL that makes decisions due for the payments (column `id`) of `from`. */
function planDecisions(decisions: Decision[], from: ReturnType<typeof sql.sql>): ReturnType<typeof sql.sql> {
  return sql.sql`insert into decision (payment_id, verdict, amount, reason, overrule, copies, due_at)
    select f.id, d.verdict, d.amount, d.reason, coalesce(d.overrule, false), coalesce(d.copies, 1),
      now() + d."afterMs" * interval '1 millisecond'
    from (select id from ${from}) f, jsonb_to_recordset(${JSON.stringify(decisions)}::jsonb)
      as d(verdict text, amount int, reason text, overrule boolean, copies int, "afterMs" int)`;
}

export async function find(db: Db, reference: string): Promise<ProviderPayment> {
  const rows = await db.$queryRaw<ProviderPayment[]>`select ${columns} from payment where reference = ${reference}`;
  if (!rows[0]) throw new Problem('PAYMENT_NOT_FOUND', `No payment has the reference ${reference}.`);
  return rows[0];
}

/** A page of the books, oldest first. `after` is the id of the last one seen. */
export async function list(db: Db, after: string | undefined, limit: number): Promise<ProviderPayment[]> {
  return db.$queryRaw<ProviderPayment[]>`
    select ${columns} from payment where ${after ?? null}::uuid is null or id > ${after ?? null}::uuid order by id limit ${limit}`;
}

/** A page of the books in the order of the references, byte by byte. `after` is the reference of the last one seen. */
export async function listByReference(db: Db, after: string | undefined, limit: number): Promise<ProviderPayment[]> {
  return db.$queryRaw<ProviderPayment[]>`
    select ${columns} from payment where reference collate "C" > ${after ?? ''} collate "C"
    order by reference collate "C" limit ${limit}`;
}

export type Totals = { status: PaymentStatus; payments: number; approved: number; refunded: number };

/** Sums for each status, minor units. */
export async function totals(db: Db): Promise<Totals[]> {
  return db.$queryRaw<Totals[]>`
    select status, count(*)::int as payments, coalesce(sum(approved_amount), 0)::float8 as approved,
      sum(refunded_amount)::float8 as refunded
    from payment group by status order by status`;
}
