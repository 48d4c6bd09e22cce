/** The service's own PostgreSQL schema, through Prisma. */
import { PrismaPg } from '@prisma/adapter-pg';
import { PrismaClient, Prisma } from './generated/client.ts';
import type { Health } from './health.ts';

export { Prisma as sql };
export type Db = PrismaClient;
/** A client or an open transaction: what a function takes that writes as part of something larger. */
export type Tx = Pick<PrismaClient, '$executeRaw' | '$queryRaw'>;

/**
 * Connects lazily: a database that is away makes queries fail (`isOwnFault`), never the start.
 * @param url of the service's role, see `databaseUrl`
 * @param poolSize connections of this process at the most
 */
export function createDb(url: string, poolSize = 10): Db {
  const adapter = new PrismaPg({
    connectionString: url,
    max: poolSize,
    connectionTimeoutMillis: 5_000,
    idleTimeoutMillis: 30_000,
    // A statement that waits longer than this is stuck behind something: it fails and is tried again.
    statement_timeout: 15_000,
    idle_in_transaction_session_timeout: 15_000,
  });
  return new PrismaClient({ adapter });
}

/** Shows the database in `/health/ready`, asked every two seconds. Returns the function that ends the asking. */
export function watchDatabase(db: Db, health: Health): () => void {
  const check = health.part('database', health.stalledAfterMs);
  const ask = () =>
    db.$queryRaw`select 1`.then(
      () => check.ok(),
      (error: unknown) => check.failed(`PostgreSQL does not answer: ${String(error).split('\n').at(-1)}`),
    );
  void ask();
  const timer = setInterval(() => void ask(), 2_000);
  return () => clearInterval(timer);
}
