/** How many rows each table holds, to see that something stored nothing. */
import type { TestDatabase } from './postgres.ts';

/** The provider counts every call under its key, refused or not. */
const notCounted = ['provider.api_call'];

export async function rowCounts({ admin }: TestDatabase): Promise<Record<string, number>> {
  const { rows: tables } = await admin.query<{ name: string }>(
    `select schemaname || '.' || tablename as name from pg_tables
     where schemaname in ('orders', 'inventory', 'payments', 'orchestration', 'provider') order by 1`,
  );
  const counted = tables.map(({ name }) => name).filter((name) => !notCounted.includes(name));
  const { rows } = await admin.query<Record<string, number>>(
    `select ${counted.map((name) => `(select count(*)::int from ${name}) as "${name}"`).join(', ')}`,
  );
  return rows[0] ?? {};
}
