import { afterAll, afterEach, beforeAll, describe, expect, it } from '@jest/globals';
import { eventually } from '../../test/support/eventually.ts';
import { whileLocked } from '../../test/support/locked.ts';
import { testDatabase, type TestDatabase } from '../../test/support/postgres.ts';
import { createHealth } from '../health.ts';
import { createLogger } from '../logger.ts';
import { createMetrics } from '../metrics.ts';
import { deleteOld, startRetention } from '../retention.ts';

const day = 24 * 60 * 60 * 1000;
const outbox = { table: 'outbox', since: 'published_at', keepMs: 21 * day };
const inbox = { table: 'inbox', since: 'done_at', keepMs: 21 * day };

let database: TestDatabase;
beforeAll(async () => {
  database = await testDatabase();
});
afterEach(() => database.admin.query('truncate orders.outbox, orders.inbox'));
afterAll(() => database.drop());

/** Rows of the outbox that were sent so many days ago; null: not yet, and written a year ago. */
const sent = (prefix: string, daysAgo: number | null, rows = 1) =>
  database.admin.query(
    `insert into orders.outbox (idempotency_key, topic, key, value, created_at, published_at)
     select $1 || n, 'order-steps', 'k', '{}', now() - interval '1 year', now() - $2::int * interval '1 day'
     from generate_series(1, $3::int) n`,
    [prefix, daysAgo, rows],
  );
const left = async () =>
  (
    await database.admin.query<{ key: string }>('select idempotency_key as key from orders.outbox order by id')
  ).rows.map(({ key }) => key);

function cleaner(silenceMs = Infinity) {
  const health = createHealth();
  const metrics = createMetrics('test');
  const stop = startRetention({
    db: database.db('orders'),
    rules: [outbox, inbox],
    everyMs: 50,
    health: health.part('retention', silenceMs),
    logger: createLogger('test', 'silent'),
    metrics,
  });
  const counted = async (table: string) =>
    (await metrics.rowsDeleted.get()).values.find(({ labels }) => labels['table'] === table)?.value;
  return { health, stop, counted };
}

describe('The clean-up', () => {
  it('deletes what is past its time, and keeps the young and what was never sent, however old', async () => {
    await sent('old', 22);
    await sent('young', 20);
    await sent('waiting', null);
    expect(await deleteOld(database.db('orders'), outbox)).toBe(1);
    expect(await left()).toEqual(['young1', 'waiting1']);
  });

  it('finds the old rows by an index, not by reading the table', async () => {
    await sent('young', 1, 5_000);
    await database.admin.query('analyze orders.outbox');
    const { rows } = await database.admin.query<{ 'QUERY PLAN': string }>(
      `explain select ctid from orders.outbox where published_at < now() - interval '21 days' order by published_at limit 1000`,
    );
    expect(rows.map((row) => row['QUERY PLAN']).join('\n')).toContain('outbox_by_age');
  });

  it('by several processes at once deletes each row once, a batch at a time', async () => {
    await sent('old', 30, 2_500);
    const db = database.db('orders');
    const deleted = await Promise.all(Array.from({ length: 4 }, () => deleteOld(db, outbox)));
    expect(Math.max(...deleted)).toBeLessThanOrEqual(1_000);
    expect(deleted.reduce((sum, rows) => sum + rows) + (await left()).length).toBe(2_500);
  });

  it('runs by itself through all tables, and counts what it deleted', async () => {
    await sent('old', 30, 2_500);
    await database.admin.query(
      `insert into orders.inbox (consumer, idempotency_key, done_at) values
         ('a', 'old', now() - interval '22 days'), ('a', 'young', now())`,
    );
    const { health, stop, counted } = cleaner();
    try {
      await eventually('all old rows are gone', async () => (await left()).length === 0);
      await eventually('the inbox too', async () => (await counted('inbox')) === 1);
      expect(await counted('outbox')).toBe(2_500);
      expect(health.report().ready).toBe(true);
    } finally {
      await stop();
    }
    const { rows } = await database.admin.query('select idempotency_key as key from orders.inbox');
    expect(rows).toEqual([{ key: 'young' }]);
  });

  it('that hangs makes the service not ready until it gets on', async () => {
    const { health, stop } = cleaner(2_000);
    try {
      await eventually('ready at first', () => health.report().ready);
      await whileLocked(database.admin, 'orders.outbox', () => eventually('red', () => !health.report().ready));
      await eventually('green', () => health.report().ready);
    } finally {
      await stop();
    }
  });
});
