/**
 * Clean-up: rows that nothing will ask for again are deleted, a batch at a time, by every process of a service; each
 * takes what the others have not locked. What must be kept how long, and why, is in `docs/operating.md`.
 */
import { backoffMs, pause } from './backoff.ts';
import { type Db, sql } from './database.ts';
import type { PartHealth } from './health.ts';
import { errorFields, type Logger } from './logger.ts';
import type { Metrics } from './metrics.ts';

/** Rows of `table` go once the time in their column `since` is `keepMs` ago, by the database's clock; never where it is null. */
export type RetentionRule = { table: string; since: string; keepMs: number };

export type RetentionOptions = {
  db: Db;
  rules: RetentionRule[];
  everyMs: number;
  health: PartHealth;
  logger: Logger;
  metrics: Metrics;
};

const batchSize = 1_000;

/** Deletes the oldest rows that are past their time, at most a batch; returns how many. Safe in several processes. */
export async function deleteOld(db: Db, { table, since, keepMs }: RetentionRule): Promise<number> {
  const [rows, time] = [sql.raw(table), sql.raw(since)];
  return db.$executeRaw`
    delete from ${rows} where ctid = any(array(
      select ctid from ${rows} where ${time} < now() - ${keepMs}::float8 * interval '1 millisecond'
      order by ${time} limit ${batchSize}::int for update skip locked))`;
}

/** Cleans up every `everyMs` until the returned function is called. */
export function startRetention(options: RetentionOptions): () => Promise<void> {
  const { db, rules, everyMs, health, logger, metrics } = options;
  const stop = new AbortController();
  const clean = async (rule: RetentionRule) => {
    let deleted = 0;
    for (let batch = batchSize; batch === batchSize && !stop.signal.aborted;) {
      batch = await deleteOld(db, rule);
      deleted += batch;
      metrics.rowsDeleted.inc({ table: rule.table }, batch);
      health.ok();
    }
    if (deleted > 0) logger.info('old rows deleted', { table: rule.table, rows: deleted });
  };
  const run = async () => {
    for (let failures = 0; !stop.signal.aborted;) {
      try {
        for (const rule of rules) await clean(rule);
        failures = 0;
        await pause(everyMs, stop.signal);
      } catch (error) {
        failures += 1;
        health.failed(`old rows are not deleted: ${error instanceof Error ? error.message : String(error)}`);
        logger.warn('retention: trying again', { failures, ...errorFields(error) });
        await pause(backoffMs(failures, 1_000, 60_000), stop.signal);
      }
    }
  };
  const running = run();
  return async () => {
    stop.abort();
    await running;
  };
}
