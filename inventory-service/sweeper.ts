/** Frees holds that were forgotten: HELD past `hold_until` → EXPIRED, the tickets are available again. */
import { backoffMs, pause } from '@ticket-saga/runtime/backoff';
import { type Db, sql } from '@ticket-saga/runtime/database';
import type { PartHealth } from '@ticket-saga/runtime/health';
import { errorFields, type Logger } from '@ticket-saga/runtime/logger';
import { unlessDeadlocked } from './decide.ts';
import { lockStock, moveStock } from './stock.ts';

const batchSize = 100;

/**
 * Expires what is due, at most `batchSize` holds, and returns the ids of their reservations. Safe in several processes
 * at once: each hold is locked by one of them, the others skip it.
 */
export async function expireHolds(db: Db): Promise<string[]> {
  const statement = sql.sql`
    with due as (
      select id from reservation where state = 'HELD' and hold_until < now()
      order by hold_until limit ${batchSize}::int for update skip locked
    ), line as (
      select l.product_id, sum(l.quantity)::int as quantity
      from reservation_line l join due d on d.id = l.reservation_id group by l.product_id
    ), stock as materialized (${lockStock(sql.sql`select product_id from line`)}
    ), move as (
      select product_id, quantity as available, -quantity as held, 0 as sold from line
    ), given_back as (${moveStock}
    )
    update reservation r set state = 'EXPIRED', updated_at = now() from due d where r.id = d.id returning r.id`;
  const expired = await unlessDeadlocked(() => db.$queryRaw<{ id: string }[]>(statement));
  return expired.map((reservation) => reservation.id);
}

export type SweeperOptions = { db: Db; intervalMs: number; health: PartHealth; logger: Logger };

/** Sweeps every `intervalMs` until the returned function is called; a database that is away is asked again. */
export function startSweeper({ db, intervalMs, health, logger }: SweeperOptions): () => Promise<void> {
  const stop = new AbortController();
  const run = async () => {
    for (let failures = 0; !stop.signal.aborted;) {
      try {
        const expired = await expireHolds(db);
        failures = 0;
        health.ok();
        for (const reservationId of expired) logger.info('hold expired', { reservationId });
        if (expired.length < batchSize) await pause(intervalMs, stop.signal);
      } catch (error) {
        failures += 1;
        health.failed(`forgotten holds are not freed: ${error instanceof Error ? error.message : String(error)}`);
        logger.warn('sweeper: trying again', { failures, ...errorFields(error) });
        await pause(backoffMs(failures, 500, 10_000), stop.signal);
      }
    }
  };
  const running = run();
  return async () => {
    stop.abort();
    await running;
  };
}
