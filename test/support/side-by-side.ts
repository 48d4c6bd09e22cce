/** Work of several clients at the same moment, so that they really meet. */
import { expect } from '@jest/globals';
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

/**
 * The model after an order of `round` in which each command answers as it did, and which leaves `state`.
 * @param apply changes the model as the command does, and returns its answer
 * @throws an error that shows it all when there is none
 */
export function explain<Model, Command>(
  model: Model,
  { round, answers, state }: { round: Command[]; answers: string[]; state: Model },
  apply: (model: Model, command: Command) => string,
): Model {
  const go = (now: Model, left: [Command, string | undefined][]): Model | undefined => {
    if (left.length === 0) return isSame(now, state) ? now : undefined;
    for (const one of left) {
      const next = structuredClone(now);
      if (apply(next, one[0]) !== one[1]) continue;
      const others = left.filter((other) => other !== one);
      const found = go(next, others);
      if (found) return found;
    }
    return undefined;
  };
  const found = go(
    model,
    round.map((one, i) => [one, answers[i]]),
  );
  if (found) return found;
  const facts = JSON.stringify({ before: model, round, answers, after: state }, undefined, 1);
  throw new Error(`No order of these commands explains their answers and what they leave.\n${facts}`);
}

/** As Jest sees it: what is cloned comes from another realm, and is the same all the same. */
function isSame(one: unknown, other: unknown): boolean {
  try {
    expect(one).toEqual(other);
    return true;
  } catch {
    return false;
  }
}
