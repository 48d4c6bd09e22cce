/** Runs the statements that decide over stock: one statement each, again where PostgreSQL or a race asks for it. */
import type { Db, sql } from '@ticket-saga/runtime/database';

const mostTries = 10;

/**
 * Runs `statement`, which decides something and returns one row about it. It is run again
 * - when PostgreSQL chose it as the victim of a deadlock (40P01): nothing of it was done;
 * - when it returned no row: another transaction wrote the reservation after this statement's snapshot was taken, and
 *   the next snapshot sees it.
 */
export async function decide<Row>(db: Db, statement: sql.Sql): Promise<Row> {
  for (let tries = 1; ; tries += 1) {
    const row = await db.$queryRaw<Row[]>(statement).then(
      (rows) => rows[0],
      (error: unknown) => {
        if (tries < mostTries && isDeadlock(error)) return undefined;
        throw error;
      },
    );
    if (row !== undefined) return row;
    if (tries === mostTries) throw new Error(`The statement came to no decision in ${mostTries} tries.`);
  }
}

/** True for SQLSTATE 40P01 wherever Prisma and its driver adapter keep it. */
export function isDeadlock(error: unknown): boolean {
  return error instanceof Error && (mentionsDeadlock(error) || isDeadlock(error.cause));
}

function mentionsDeadlock(error: Error): boolean {
  return error.message.includes('40P01') || ('meta' in error && JSON.stringify(error.meta).includes('40P01'));
}
