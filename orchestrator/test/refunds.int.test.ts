/** Refunds on a real database; order-service, inventory-service and the engine are played by the test. */
import { afterAll, beforeAll, beforeEach, expect, test } from '@jest/globals';
import { createLogger } from '@ticket-saga/runtime/logger';
import { v7 as uuidV7 } from 'uuid';
import { eventually } from '../../test/support/eventually.ts';
import { whileLocked } from '../../test/support/locked.ts';
import { testDatabase, type TestDatabase } from '../../test/support/postgres.ts';
import { versionsOf } from '../further-processes.ts';
import type { OrchestratorParts } from '../parts.ts';
import { refundRound } from '../refund-runner.ts';
import { listRefunds, readRefund, requestRefund } from '../refunds.ts';

let database: TestDatabase;
let parts: OrchestratorParts;
/** The orders that order-service knows, all of one product. */
let orders: Map<string, { status: string; stuck?: boolean }>;
let started: string[];
/** How often one order was asked for. */
let asked: number;
let engineAway: boolean;
/** The orders whose process was cancelled. */
let cancelled: Set<string>;

beforeAll(async () => {
  database = await testDatabase();
});
afterAll(() => database.drop());
beforeEach(async () => {
  orders = new Map();
  started = [];
  asked = 0;
  engineAway = false;
  cancelled = new Set();
  const answer = (path: string): unknown => {
    const url = new URL(path, 'http://order');
    if (url.pathname.startsWith('/products/')) return url.pathname.endsWith('/sold') ? {} : undefined;
    const id = /^\/orders\/(.+)$/.exec(url.pathname)?.[1];
    const shown = ([orderId, { status, stuck }]: [string, { status: string; stuck?: boolean }]) => ({
      id: orderId,
      status,
      finished: !['PENDING', 'AWAITING_PAYMENT', 'COMPENSATING'].includes(status),
      currentStep: null,
      steps: stuck ? [{ id: 'RefundPayment', name: 'Refund payment', state: 'STUCK' }] : [],
    });
    const all = [...orders].map(shown);
    if (id) {
      asked += 1;
      return all.find((order) => order.id === id);
    }
    // Pages of two, newest first.
    const [status, cursor] = [url.searchParams.get('status'), url.searchParams.get('cursor')];
    const rest = all
      .filter((order) => order.status === status && (cursor === null || order.id < cursor))
      .toSorted((a, b) => (a.id < b.id ? 1 : -1));
    return { items: rest.slice(0, 2), nextCursor: rest.length > 2 ? rest[1]?.id : null };
  };
  const services = {
    find: async (_: string, path: string, schema: { parse(value: unknown): unknown }) => {
      const found = answer(path);
      return found === undefined ? undefined : schema.parse(found);
    },
    get: async (_: string, path: string, schema: { parse(value: unknown): unknown }) => schema.parse(answer(path)),
  };
  const engine = {
    startProcess: async (_: string, { orderId }: { orderId: string }) => {
      if (engineAway) throw Object.assign(new Error('away'), { code: 14 });
      started.push(orderId);
      cancelled.delete(orderId);
      return { processInstanceKey: `of ${orderId}`, version: 1 };
    },
    isAlive: async (key: string) => !cancelled.has(key.replace('of ', '')),
  };
  const db = database.db('orchestration');
  await db.$executeRaw`delete from refund`;
  parts = { db, services, engine, logger: createLogger('test', 'silent') } as unknown as OrchestratorParts;
});

const place = (status: string, many = 1) =>
  Array.from({ length: many }, () => {
    const id = uuidV7();
    orders.set(id, { status });
    return id;
  });
const refundAll = () => requestRefund(parts, { operator: 'techlead', reason: 'the singer is ill', productId: 'sold' });
const progress = async (id: string) => (await readRefund(parts.db, id, { limit: 100 })).refund;
/** Several rounds, an hour apart: everything is due, what waits longest first. */
async function rounds(many: number, atOnce = 3): Promise<void> {
  for (let round = 0; round < many; round += 1) {
    await parts.db.$executeRaw`update refund_order set next_look_at = next_look_at - interval '1 hour'`;
    await refundRound(parts, atOnce);
  }
}

test('a product’s orders are written down in pages, and no more than allowed are refunded at once', async () => {
  place('CONFIRMED', 7);
  const id = await refundAll();
  await rounds(12);
  expect(await progress(id)).toMatchObject({ state: 'RUNNING', total: 7, running: 3, waiting: 4 });
  expect(started).toHaveLength(3);
  for (let left = 7; left > 0; left -= 1) {
    for (const orderId of started) orders.set(orderId, { status: 'REFUNDED' });
    await rounds(2);
  }
  expect(await progress(id)).toMatchObject({ state: 'DONE', total: 7, done: 7 });
  expect(new Set(started).size).toBe(7);
  expect(started).toHaveLength(7);
});

test('orders on their way are waited for, in nobody’s way: what is confirmed is refunded, what ends otherwise is refused', async () => {
  const [late = '', given = ''] = place('AWAITING_PAYMENT', 2);
  const [confirmed = ''] = place('CONFIRMED');
  const id = await refundAll();
  await rounds(8, 1);
  expect(started).toEqual([confirmed]);
  orders.set(confirmed, { status: 'REFUNDED' });
  await rounds(4, 1);
  expect(await progress(id)).toMatchObject({ state: 'RUNNING', total: 3, waiting: 2, done: 1, refused: 0 });
  const waiting = await readRefund(parts.db, id, { limit: 10, state: 'WAITING' });
  expect(waiting.orders).toContainEqual(
    expect.objectContaining({ orderId: late, code: 'ORDER_ON_ITS_WAY', message: 'The order is AWAITING_PAYMENT.' }),
  );

  orders.set(late, { status: 'CONFIRMED' });
  orders.set(given, { status: 'CANCELLED' });
  await rounds(4, 1);
  expect(started).toEqual([confirmed, late]);
  orders.set(late, { status: 'REFUNDED' });
  await rounds(4, 1);
  expect(await progress(id)).toMatchObject({ state: 'DONE', done: 2, refused: 1 });
  const { orders: refused } = await readRefund(parts.db, id, { limit: 10, state: 'REFUSED' });
  expect(refused).toMatchObject([{ orderId: given, code: 'ORDER_NOT_REFUNDABLE', message: 'The order is CANCELLED.' }]);
});

test('an order on its way is not asked again at once', async () => {
  place('PENDING');
  const id = await refundAll();
  await rounds(5);
  asked = 0;
  await refundRound(parts, 3);
  await refundRound(parts, 3);
  expect(asked).toBe(0);
  expect(await progress(id)).toMatchObject({ waiting: 1 });
});

test('two orchestrators at once do not refund more than allowed', async () => {
  place('CONFIRMED', 12);
  const id = await refundAll();
  for (let page = 0; page < 10; page += 1) await refundRound(parts, 0); // written down, none begun
  expect(await progress(id)).toMatchObject({ total: 12, waiting: 12 });
  const other = { ...parts, db: database.db('orchestration') };
  const all = await whileLocked(database.admin, 'orchestration.refund_order', async () => {
    const begun = [parts, other, parts, other, parts, other, parts, other].map((one) => refundRound(one, 3));
    await eventually('all stand at the same line', async () => {
      const waiting = `select from pg_locks where not granted
        and database = (select oid from pg_database where datname = current_database())`;
      return (await database.admin.query(waiting)).rows.length === begun.length;
    });
    return { ended: Promise.all(begun) };
  });
  await all.ended;
  expect(await progress(id)).toMatchObject({ running: 3, waiting: 9 });
  expect(started).toHaveLength(3);
});

test('an order that is stuck takes nobody’s place, and goes on when somebody has helped', async () => {
  const ids = place('CONFIRMED', 2);
  const id = await refundAll();
  await rounds(6, 1);
  const [first = ''] = started;
  orders.set(first, { status: 'COMPENSATING', stuck: true });
  await rounds(3, 1);
  expect(await progress(id)).toMatchObject({ state: 'RUNNING', failed: 1, running: 1 });
  for (const orderId of ids) orders.set(orderId, { status: 'REFUNDED' });
  await rounds(4, 1);
  expect(await progress(id)).toMatchObject({ state: 'DONE', done: 2, failed: 0 });
});

test('a confirmed order beside which late money hangs is refunded all the same, and its process noted with its version', async () => {
  const [orderId = ''] = place('CONFIRMED');
  orders.set(orderId, { status: 'CONFIRMED', stuck: true });
  const id = await refundAll();
  await rounds(6);
  expect(started).toEqual([orderId]);
  expect(await versionsOf(parts.db, [`of ${orderId}`])).toEqual(new Map([[`of ${orderId}`, 1]]));
  // Once begun, what hangs may be the refund itself.
  expect(await progress(id)).toMatchObject({ failed: 1 });
});

test('after a crash between the taking up and the start an order is started, after one behind the start it is followed', async () => {
  const [before = '', behind = ''] = place('CONFIRMED', 2);
  const id = await refundAll();
  engineAway = true;
  await rounds(6);
  engineAway = false;
  expect(await progress(id)).toMatchObject({ running: 2 });
  orders.set(behind, { status: 'COMPENSATING' });
  await rounds(2);
  expect(started).toEqual([before]);
  for (const orderId of [before, behind]) orders.set(orderId, { status: 'REFUNDED' });
  await rounds(2);
  expect(await progress(id)).toMatchObject({ state: 'DONE', done: 2, refused: 0 });
});

test('an order whose process was cancelled before its first step gets another', async () => {
  const [orderId = ''] = place('CONFIRMED');
  const id = await refundAll();
  await rounds(6);
  expect(started).toEqual([orderId]);
  cancelled.add(orderId);
  await rounds(2);
  expect(started).toEqual([orderId, orderId]);
  orders.set(orderId, { status: 'REFUNDED' });
  await rounds(2);
  expect(await progress(id)).toMatchObject({ state: 'DONE', done: 1 });
});

test('one order: only a confirmed one, with its entry in the audit trail', async () => {
  const [orderId = ''] = place('PENDING');
  const wish = { operator: 'techlead', reason: 'goodwill', orderId };
  await expect(requestRefund(parts, wish)).rejects.toMatchObject({ code: 'ORDER_NOT_REFUNDABLE' });
  await expect(requestRefund(parts, { ...wish, orderId: uuidV7() })).rejects.toMatchObject({ code: 'ORDER_NOT_FOUND' });
  const unknown = requestRefund(parts, { operator: 'techlead', reason: 'x', productId: 'no-such' });
  await expect(unknown).rejects.toMatchObject({ code: 'PRODUCT_NOT_FOUND' });
  orders.set(orderId, { status: 'CONFIRMED' });
  const id = await requestRefund(parts, wish);
  expect((await listRefunds(parts.db, { limit: 5 })).items).toMatchObject([{ id, total: 1, waiting: 1 }]);
  const audit = await parts.db
    .$queryRaw`select action, outcome, reason from operator_action where order_id = ${orderId}::uuid`;
  expect(audit).toEqual([{ action: 'refund-order', outcome: 'done', reason: 'goodwill' }]);
});
