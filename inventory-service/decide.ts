/** Runs the statements that decide over stock: one statement each, again where PostgreSQL or a race asks for it. */
import type { Db, sql } from '@ticket-saga/runtime/database';

const mostTries = 10;

/**
 * Runs `statement`, which decides something and returns one row about it. It is run again when it returned no row:
 * another transaction wrote the reservation after this statement's snapshot was taken, and the next snapshot sees it.
 */
export async function decide<Row>(db: Db, statement: sql.Sql): Promise<Row> {
  for (let tries = 1; tries <= mostTries; tries += 1) {
    const [row] = await unlessDeadlocked(() => db.$queryRaw<Row[]>(statement));
    if (row !== undefined) return row;
  }
  throw new Error(`The statement came to no decision in ${mostTries} tries.`);
}

/**
 * Does `work`, one statement, and does it again when PostgreSQL chose it as the victim of a deadlock: nothing of it was
 * done. Products are always locked in the order of their ids, so deadlocks are rare: one is left where a reservation,
 * which has its products, meets another statement on the reservation of the same order, which waits for them.
 */
export async function unlessDeadlocked<T>(work: () => Promise<T>): Promise<T> {
  for (let tries = 1; ; tries += 1) {
    try {
      return await work();
    } catch (error) {
      if (tries === mostTries || !isDeadlock(error)) throw error;
    }
  }
}

/** True for SQLSTATE 40P01 wherever Prisma and its driver adapter keep it. */
function isDeadlock(error: unknown): boolean {
  if (!(error instanceof Error)) return false;
  const meta = 'meta' in error ? JSON.stringify(error.meta) : '';
  return error.message.includes('40P01') || meta.includes('40P01') || isDeadlock(error.cause);
}
