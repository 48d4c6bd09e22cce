/** How a service shows what it keeps to the reconciliation (`contract/reconciliation.ts`). */
import { outboxRow, type OutboxRow, rowsOf, rowsQuery } from '@ticket-saga/contract/reconciliation';
import type { z } from 'zod';
import type { Api } from './api.ts';
import { type Db, sql } from './database.ts';
import { Problem } from './problem.ts';
import type { Relay } from './relay.ts';

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

/** Has what waits sent now, by the relay that always sends it, and says what waits then. */
export async function publishOutbox(db: Db, relay: Pick<Relay, 'round'>): Promise<OutboxRow> {
  await relay.round();
  return readOutbox(db);
}

/** @param relay none: this process sends nothing (a test) */
export function addOutboxRoutes(api: Api, db: Db, relay?: Pick<Relay, 'round'>): void {
  api.route({
    method: 'get',
    path: '/reconciliation/outbox',
    summary: 'For the reconciliation: events that wait in the outbox',
    access: 'operator',
    answers: { 200: { description: 'How many, and for how many seconds the oldest', schema: outboxRow } },
    handle: async () => ({ status: 200, body: await readOutbox(db) }),
  });
  api.route({
    method: 'post',
    path: '/reconciliation/outbox/publish',
    summary: 'Sends the events that wait in the outbox now',
    description: 'By one round of the relay, behind one that is under way. 503: it failed, the detail says why.',
    access: 'operator',
    answers: { 200: { description: 'What waits after it', schema: outboxRow } },
    async handle() {
      if (!relay) throw new Problem('ACTION_NOT_POSSIBLE', 'No relay of the outbox runs in this process.');
      return { status: 200, body: await publishOutbox(db, relay) };
    },
  });
}
