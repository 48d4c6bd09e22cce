/** Work of several clients at the same moment, so that they really meet. */
import { eventually } from './eventually.ts';
import type { TestDatabase } from './postgres.ts';

/**
 * Does all at once: each has begun, with its view of the database, before the first may change a row of `tables`. A
 * statement alone takes a millisecond; started one after the other they would hardly ever meet.
 */
export async function sideBySide<T>(
  { admin }: TestDatabase,
  tables: string[],
  work: (() => Promise<T>)[],
): Promise<T[]> {
  const gate = await admin.connect();
  try {
    await gate.query('begin');
    for (const table of tables) await gate.query(`select from ${table} for update`);
    let running = work.length;
    const answers = Promise.allSettled(work.map((one) => one().finally(() => (running -= 1))));
    // Not by the gate's own connection: within a transaction the statistics stand still.
    const isHeld = async () => {
      const { rows } = await admin.query<{ n: number }>(
        "select count(*)::int as n from pg_stat_activity where datname = current_database() and wait_event_type = 'Lock'",
      );
      return running <= (rows[0]?.n ?? 0);
    };
    await eventually('all have ended or wait at the gate', isHeld, { everyMs: 1 });
    await gate.query('commit');
    return (await answers).map((ended) => {
      if (ended.status === 'rejected') throw ended.reason;
      return ended.value;
    });
  } finally {
    gate.release();
  }
}
