/** How a service shows what it keeps to the reconciliation (`contract/reconciliation.ts`). */
import { outboxRow, type OutboxRow, rowsOf, rowsQuery } from '@ticket-saga/contract/reconciliation';
import type { z } from 'zod';
import type { Api } from './api.ts';
import { type Db, sql } from './database.ts';

export type RowsQuery = z.output<typeof rowsQuery>;

/** `read` gives at most `limit` rows in the order of their keys, or those with the `ids`. */
type Rows<Row extends z.ZodType> = {
  path: string;
  what: string;
  row: Row;
  keyOf: (row: z.input<Row>) => string;
  read: (query: RowsQuery) => Promise<z.input<Row>[]>;
};

/** A list that is read from end to end in sorted pages, or by ids. */
export function addRowsRoute<Row extends z.ZodType>(api: Api, { path, what, row, keyOf, read }: Rows<Row>): void {
  api.route({
    method: 'get',
    path,
    summary: `For the reconciliation: ${what}`,
    access: 'operator',
    query: rowsQuery,
    answers: { 200: { description: 'A page', schema: rowsOf(row) } },
    async handle({ query }) {
      const found = await read({ ...query, limit: query.limit + 1 });
      const items = query.ids ? found : found.slice(0, query.limit);
      const last = items.at(-1);
      return {
        status: 200,
        body: { items, nextCursor: found.length > items.length && last !== undefined ? keyOf(last) : null },
      };
    },
  });
}

/** Where a page begins, or which rows are asked for; `id` and `cursor` must be of the same type. */
export function pageOf(
  query: RowsQuery,
  { id, cursor, ids = id }: { id: sql.Sql; cursor: sql.Sql; ids?: sql.Sql },
): sql.Sql {
  if (query.ids) return sql.sql`${ids} = any(${query.ids}::uuid[])`;
  return query.cursor === undefined ? sql.sql`true` : sql.sql`${id} > ${cursor}`;
}

/** What waits in the outbox, and since when. */
export async function readOutbox(db: Db): Promise<OutboxRow> {
  const [row] = await db.$queryRaw<OutboxRow[]>`
    select count(*)::int as unsent, coalesce(extract(epoch from now() - min(created_at)), 0)::float8 as "oldestAge"
    from outbox where published_at is null`;
  return outboxRow.parse(row);
}

export function addOutboxRoute(api: Api, db: Db): void {
  api.route({
    method: 'get',
    path: '/reconciliation/outbox',
    summary: 'For the reconciliation: events that wait in the outbox',
    access: 'operator',
    answers: { 200: { description: 'How many, and for how many seconds the oldest', schema: outboxRow } },
    handle: async () => ({ status: 200, body: await readOutbox(db) }),
  });
}
