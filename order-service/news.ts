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

/** For an order that is on the way: one that has ended has been told of already. */
const unlessEnded = (news: ReturnType<typeof happened>) => sql.sql`p.completed_at is not null or (${news})`;

/** What is always heard sooner or later before an order ends so. Events of one service about one order keep their order. */
const newsBefore = {
  confirmed: unlessEnded(sql.sql`${happened('RESERVE_CREATED')} and ${happened('PAYMENT_COMPLETED')}`),
  rejected: unlessEnded(happened('RESERVE_FAILED')),
  closed: unlessEnded(sql.sql`${undone('ReserveTickets')} and ${undone('RequestPayment')}`),
  reinstated: sql.sql`${happened('PAYMENT_LATE')} and ${happened('PAYMENT_COMPLETED')}`,
  refunded: sql.sql`${happened('PAYMENT_LATE')} and ${happened('PAYMENT_REFUNDED')}`,
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
      select 1 from purchase p where p.id = ${orderId}::uuid and (${newsBefore[end]})`;
    return rows.length > 0;
  };
  const until = Date.now() + giveUpMs;
  while (!(await isComplete()) && Date.now() < until) await pause(50);
}
