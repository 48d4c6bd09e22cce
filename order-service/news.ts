/**
 * What the steps of other services did is heard over Kafka, and the engine can be quicker. An order must not show its end
 * before what led there: tickets released, money void or taken.
 */
import type { PaymentState } from '@ticket-saga/contract/states';
import type { Db } from '@ticket-saga/runtime/database';
import { pause } from '@ticket-saga/runtime/backoff';

/** News is late by milliseconds; a broker that is away must not keep an order from its end. */
const mostMs = 2_000;

/** What is still to be heard when an order has just got its ticket codes, or its undo is done. */
const toCome = {
  confirmed: { undone: false, payment: ['REQUESTED', 'VOIDING'] },
  closed: { undone: true, payment: ['REQUESTED', 'VOIDING', 'APPROVED'] },
} as const satisfies Record<string, { undone: boolean; payment: PaymentState[] }>;

/** Resolves when all that leads to this end was heard, after `giveUpMs` in any case. */
export async function newsBefore(
  db: Db,
  orderId: string,
  end: keyof typeof toCome,
  giveUpMs: number = mostMs,
): Promise<void> {
  const { undone, payment } = toCome[end];
  const missing = async () => {
    const [found] = await db.$queryRaw<unknown[]>`
      select 1 from purchase p where p.id = ${orderId}::uuid and p.completed_at is null and (
        p.payment_state = any(${[...payment]}::text[])
        or ${undone}::boolean
          and exists (select from history h where h.order_id = p.id and h.state = 'RESERVE_CREATED')
          and not exists (select from history h where h.order_id = p.id and h.state = 'RESERVE_RELEASED'))`;
    return found !== undefined;
  };
  const until = Date.now() + giveUpMs;
  while ((await missing()) && Date.now() < until) await pause(20);
}
