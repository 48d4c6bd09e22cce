/**
 * What the steps of other services did is heard over Kafka, and the engine can be quicker. An order should not show its
 * end before what led there: tickets held and paid, or released and the money void.
 */
import type { Db } from '@ticket-saga/runtime/database';
import { sql } from '@ticket-saga/runtime/database';
import { pause } from '@ticket-saga/runtime/backoff';

/** The news is late by milliseconds; a broker that is away must not keep an order from its end. */
const mostMs = 2_000;

const happened = (state: string) =>
  sql.sql`exists (select from history h where h.order_id = p.id and h.state = ${state})`;
const undone = (step: string) =>
  sql.sql`exists (select from step_event s where s.order_id = p.id and s.state = 'COMPLETED' and ${step} = any(s.undo))`;

/** What is always heard sooner or later before an order ends so. Events of one service about one order keep their order. */
const newsBefore = {
  confirmed: sql.sql`${happened('RESERVE_CREATED')} and ${happened('PAYMENT_COMPLETED')}`,
  rejected: happened('RESERVE_FAILED'),
  closed: sql.sql`${undone('ReserveTickets')} and ${undone('RequestPayment')}`,
};

/** Resolves when all that leads to this end was heard, after `giveUpMs` in any case. */
export async function waitForNews(
  db: Db,
  orderId: string,
  end: keyof typeof newsBefore,
  giveUpMs: number = mostMs,
): Promise<void> {
  const isComplete = async () => {
    const rows = await db.$queryRaw<unknown[]>`
      select 1 from purchase p where p.id = ${orderId}::uuid and (p.completed_at is not null or (${newsBefore[end]}))`;
    return rows.length > 0;
  };
  const until = Date.now() + giveUpMs;
  while (!(await isComplete()) && Date.now() < until) await pause(50);
}
