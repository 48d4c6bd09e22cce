/** Due decisions become webhooks, due webhooks are delivered. All of it is in the database, so a kill loses nothing. */
import type { Db } from '@ticket-saga/runtime/database';
import { errorFields, type Logger } from '@ticket-saga/runtime/logger';
import { signWebhook } from './signature.ts';

/** A call without an answer has failed after this, ms. */
const patienceMs = 5_000;
/** A webhook in delivery is nobody else's for this long; after a kill it is tried again then. */
const leaseSeconds = 10;

export type Webhook = { id: bigint; url: string; body: string; attempts: number; once: boolean };

/**
 * Makes the decisions that are due: the payment's status and its webhook in one statement. A decision on a payment
 * that was voided or decided before does nothing, unless it overrules. Returns how many were due.
 */
export async function decideDue(db: Db): Promise<number> {
  const rows = await db.$queryRaw<{ due: number }[]>`
    with due as (
      select id, payment_id, verdict, amount, reason, overrule, copies from decision d
      where done_at is null and due_at <= now()
        and not exists (select from decision e where e.payment_id = d.payment_id and e.done_at is null
            and (e.due_at, e.id) < (d.due_at, d.id))
      order by due_at, id limit 100 for update skip locked
    ), done as (
      update decision set done_at = now() where id in (select id from due)
    ), decided as (
      update payment p set status = due.verdict, decline_reason = due.reason, updated_at = now(),
        approved_amount = case when due.verdict = 'APPROVED' then due.amount end
      from due where p.id = due.payment_id and (p.status = 'PENDING' or due.overrule)
      returning p.id, p.reference, p.currency, due.verdict, due.amount, due.reason, due.copies, due.id as decision
    ), queued as (
      insert into webhook (payment_id, copies_left, body)
      select id, copies, json_strip_nulls(json_build_object('id', gen_random_uuid(), 'type', 'payment.' || lower(verdict),
        'reference', reference, 'amount', amount, 'currency', currency, 'reason', reason,
        'occurredAt', to_char(now() at time zone 'utc', 'YYYY-MM-DD"T"HH24:MI:SS.MS"Z"')))::text
      from decided order by decision
    )
    select count(*)::int as due from due`;
  return rows[0]?.due ?? 0;
}

/** Takes webhooks that are due, the oldest of each payment, and lends them to the caller for ten seconds. */
export async function claimDue(db: Db, most: number): Promise<Webhook[]> {
  return db.$queryRaw<Webhook[]>`
    with due as (
      select id from webhook w
      where delivered_at is null and next_attempt_at <= now()
        and not exists (select from webhook e where e.payment_id = w.payment_id and e.delivered_at is null and e.id < w.id)
      order by next_attempt_at, id limit ${most} for update skip locked
    )
    update webhook w set attempts = attempts + 1, next_attempt_at = now() + ${leaseSeconds} * interval '1 second'
    from due, payment p where w.id = due.id and p.id = w.payment_id
    returning w.id, p.callback_url as url, w.body, w.attempts, w.once`;
}

/** Calls the shop. A 2xx ends it; anything else is tried again after a pause of 1, 2, 4 … 60 s, for ever. */
export async function deliver(db: Db, secret: string, webhook: Webhook, logger: Logger): Promise<void> {
  const status = await call(webhook, secret).catch((error: unknown) => {
    logger.warn('webhook: the shop does not answer', { webhook: String(webhook.id), ...errorFields(error) });
    return undefined;
  });
  if (status !== undefined && ((status >= 200 && status < 300) || webhook.once)) {
    await db.$executeRaw`
      update webhook set copies_left = copies_left - 1, next_attempt_at = now(),
        delivered_at = case when copies_left <= 1 then now() end
      where id = ${webhook.id}`;
    logger.info('webhook delivered', { webhook: String(webhook.id), status });
    return;
  }
  await db.$executeRaw`
    update webhook set next_attempt_at = now() + least(60, 2 ^ least(attempts - 1, 6)) * interval '1 second'
    where id = ${webhook.id}`;
  if (status !== undefined) logger.info('webhook refused: trying again', { webhook: String(webhook.id), status });
}

async function call({ url, body }: Webhook, secret: string): Promise<number> {
  const response = await fetch(url, {
    method: 'POST',
    headers: { 'Content-Type': 'application/json', 'Webhook-Signature': signWebhook(secret, body, new Date()) },
    body,
    redirect: 'manual',
    signal: AbortSignal.timeout(patienceMs),
  });
  await response.body?.cancel();
  return response.status;
}

/** Milliseconds until something is due, Infinity when nothing waits. */
export async function nextDueMs(db: Db): Promise<number> {
  const rows = await db.$queryRaw<{ ms: number | null }[]>`
    select extract(epoch from least((select min(due_at) from decision where done_at is null),
      (select min(next_attempt_at) from webhook where delivered_at is null)) - now())::float8 * 1000 as ms`;
  return rows[0]?.ms ?? Infinity;
}

/** True while the payment has a decision due or a webhook that has not arrived. */
export async function isWaiting(db: Db, paymentId: string): Promise<boolean> {
  const rows = await db.$queryRaw<{ waiting: boolean }[]>`
    select exists (select from decision where payment_id = ${paymentId}::uuid and done_at is null)
      or exists (select from webhook where payment_id = ${paymentId}::uuid and delivered_at is null) as waiting`;
  return rows[0]?.waiting ?? false;
}
