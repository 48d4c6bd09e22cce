/** Asks the provider for the state of requests that stay without an answer: a webhook may be lost for good. */
import { pause } from '@ticket-saga/runtime/backoff';
import type { Db } from '@ticket-saga/runtime/database';
import type { PartHealth } from '@ticket-saga/runtime/health';
import { errorFields } from '@ticket-saga/runtime/logger';
import { bookDecision } from './decisions.ts';
import { type Payment, readById } from './payment-row.ts';
import type { Parts } from './settle.ts';
import type { ProviderAnswer } from './provider.ts';

/** At once, and in one round. */
const batch = 20;

/** Looks for unanswered requests until the returned function is called. `askAfterMs`: how long an answer may take. */
export function startPoller(parts: Parts, askAfterMs: number, health: PartHealth): () => Promise<void> {
  const stop = new AbortController();
  const everyMs = Math.min(5_000, askAfterMs / 2);
  const running = (async () => {
    while (!stop.signal.aborted) {
      const asked = await askUnanswered(parts, askAfterMs).catch((error: unknown) => {
        health.failed(`unanswered payments are not asked about: ${String(error)}`);
        parts.logger.warn('poller: trying again', errorFields(error));
        return undefined;
      });
      if (asked !== undefined) health.ok();
      if (asked === undefined || asked < batch) await pause(everyMs, stop.signal);
    }
  })();
  return async () => {
    stop.abort();
    await running;
  };
}

/** One round; returns how many were asked about. Two processes never take the same payment: a round notes who was asked. */
export async function askUnanswered(parts: Parts, askAfterMs: number): Promise<number> {
  const ids = await claimUnanswered(parts.db, askAfterMs);
  await Promise.all(ids.map((id) => askOne(parts, id)));
  return ids.length;
}

async function claimUnanswered(db: Db, askAfterMs: number): Promise<string[]> {
  const rows = await db.$queryRaw<{ id: string }[]>`
    update payment set asked_at = now() where id in (
      select id from payment
      where state = 'REQUESTED' and coalesce(asked_at, created_at) < now() - ${askAfterMs} * interval '1 millisecond'
      order by coalesce(asked_at, created_at) limit ${batch} for update skip locked)
    returning id`;
  return rows.map((row) => row.id);
}

async function askOne(parts: Parts, id: string): Promise<void> {
  try {
    const payment = await readById(parts.db, id);
    if (payment) await askAbout(parts, payment);
  } catch (error) {
    parts.logger.warn('the provider could not be asked', { paymentId: id, ...errorFields(error) });
  }
}

/** Books what the provider says that it has decided; rejects while it is away. */
export async function askAbout(parts: Parts, payment: Payment): Promise<void> {
  const answer = await parts.provider.query(payment);
  if (answer) await bookAnswer(parts, payment, answer);
}

/** Books a decision, as if its webhook had come; any other answer changes nothing. */
export async function bookAnswer(parts: Parts, payment: Payment, answer: ProviderAnswer): Promise<void> {
  const { status, approvedAmount, currency, declineReason } = answer;
  const raw = { topic: 'provider', key: payment.orderId, value: Buffer.from(JSON.stringify(answer)) };
  if (status === 'APPROVED' && approvedAmount !== undefined) {
    await bookDecision(parts, payment, { source: 'provider', raw, verdict: status, amount: approvedAmount, currency });
  } else if (status === 'DECLINED') {
    const reason = declineReason ?? 'declined';
    await bookDecision(parts, payment, { source: 'provider', raw, verdict: status, reason });
  }
}
