import { randomUUID } from 'node:crypto';
import { afterAll, beforeAll, expect, test } from '@jest/globals';
import { createDb } from '@ticket-saga/runtime/database';
import { createHealth } from '@ticket-saga/runtime/health';
import { createLogger } from '@ticket-saga/runtime/logger';
import { eventually } from '../../test/support/eventually.ts';
import { whileLocked } from '../../test/support/locked.ts';
import { expireHolds, startSweeper } from '../sweeper.ts';
import { line, openShop, type Shop } from './shop.ts';

const logger = createLogger('test', 'error');
logger.silent = true;
let shop: Shop;
beforeAll(async () => {
  shop = await openShop();
});
afterAll(() => shop.close());

test('only holds whose time is over are freed', async () => {
  const [product, over, running, sold] = [await shop.product(10), randomUUID(), randomUUID(), randomUUID()];
  for (const order of [over, running, sold]) await shop.reserve(order, [line(product, 1)]);
  await shop.confirm(sold);
  await shop.letHoldEnd(over);
  await shop.letHoldEnd(sold);

  expect(await expireHolds(shop.db)).toEqual([over]);

  expect(await shop.stock(product)).toEqual({ available: 8, held: 1, sold: 1 });
  expect(await shop.state(over)).toBe('EXPIRED');
  expect(await shop.history(over)).toEqual(['RESERVE_CREATED']);
});

test('two processes that sweep at once free each hold once', async () => {
  const product = await shop.product(300);
  const orders = Array.from({ length: 150 }, () => randomUUID());
  await Promise.all(orders.map((order) => shop.reserve(order, [line(product, 2)])));
  await shop.db.$executeRaw`update reservation set pay_by = now() - interval '1 h', hold_until = now() - interval '1 h'
    where id = any(${orders})`;

  const swept = await Promise.all(Array.from({ length: 4 }, () => expireHolds(shop.db)));

  expect(swept.flat().length).toBe(150);
  expect(new Set(swept.flat())).toEqual(new Set(orders));
  expect(await shop.stock(product)).toEqual({ available: 300, held: 0, sold: 0 });
});

test('the sweeper runs by itself and says in the health report that it does', async () => {
  const [product, order] = [await shop.product(10), randomUUID()];
  const health = createHealth();
  const stop = startSweeper({ db: shop.db, intervalMs: 20, health: health.part('sweeper'), logger });
  try {
    await eventually('the sweeper reports', () => health.report().ready);
    await shop.reserve(order, [line(product, 1)]);
    await shop.letHoldEnd(order);
    await eventually('the hold is freed', async () => (await shop.state(order)) === 'EXPIRED');
  } finally {
    await stop();
  }
});

test('without its database the sweeper goes on trying and the service is not ready', async () => {
  const db = createDb('postgresql://inventory:inventory@127.0.0.1:1/nowhere');
  const health = createHealth();
  const stop = startSweeper({ db, intervalMs: 20, health: health.part('sweeper'), logger });
  try {
    await eventually('the failure shows', () =>
      health.report().parts['sweeper']?.detail?.startsWith('forgotten holds'),
    );
    expect(health.report().ready).toBe(false);
  } finally {
    await stop();
    await db.$disconnect();
  }
});

test('a sweeper that hangs, without any error, makes the service not ready until it gets on', async () => {
  const health = createHealth();
  const stop = startSweeper({ db: shop.db, intervalMs: 20, health: health.part('sweeper', 2_000), logger });
  try {
    await eventually('ready at first', () => health.report().ready);
    await whileLocked(shop.database.admin, 'inventory.reservation', () =>
      eventually('red', () => health.report().parts['sweeper']?.detail?.startsWith('has not been heard of for')),
    );
    await eventually('green', () => health.report().ready);
  } finally {
    await stop();
  }
});
