import { randomUUID } from 'node:crypto';
import { afterAll, beforeAll, expect, test } from '@jest/globals';
import { jobs } from '@ticket-saga/contract/jobs';
import { line, openShop, type Shop } from './shop.ts';

let shop: Shop;
beforeAll(async () => {
  shop = await openShop();
});
afterAll(() => shop.close());

async function heldOrder(quantity = 2) {
  const [product, order] = [await shop.product(10), randomUUID()];
  await shop.reserve(order, [line(product, quantity)]);
  return { product, order };
}

test('releasing twice gives held tickets back once', async () => {
  const { product, order } = await heldOrder();
  await shop.release(order);
  await shop.release(order);
  await shop.release(order, { jobKey: 'the abort path' });
  expect(await shop.stock(product)).toEqual({ available: 10, held: 0, sold: 0 });
  expect(await shop.state(order)).toBe('RELEASED');
  expect(await shop.history(order)).toEqual(['RESERVE_CREATED', 'RESERVE_RELEASED']);
});

test('releasing a confirmed reservation gives sold tickets back once', async () => {
  const { product, order } = await heldOrder();
  await shop.confirm(order);
  await shop.release(order);
  await shop.release(order, { jobKey: 'again' });
  expect(await shop.stock(product)).toEqual({ available: 10, held: 0, sold: 0 });
  expect(await shop.history(order)).toEqual(['RESERVE_CREATED', 'RESERVE_RELEASED']);
});

test('releasing several products gives back each', async () => {
  const [a, b, order] = [await shop.product(5), await shop.product(5), randomUUID()];
  await shop.reserve(order, [line(a, 2), line(b, 5)]);
  await shop.release(order);
  expect(await shop.stock(a)).toEqual({ available: 5, held: 0, sold: 0 });
  expect(await shop.stock(b)).toEqual({ available: 5, held: 0, sold: 0 });
});

test('releasing an expired hold changes no stock, and the history tells once that the tickets are free', async () => {
  const { product, order } = await heldOrder();
  await shop.expire(order);
  await shop.release(order);
  await shop.release(order, { jobKey: 'again' });
  expect(await shop.stock(product)).toEqual({ available: 10, held: 0, sold: 0 });
  expect(await shop.state(order)).toBe('EXPIRED');
  expect(await shop.history(order)).toEqual(['RESERVE_CREATED', 'RESERVE_RELEASED']);
});

test('releasing a refused reservation does nothing, and the step is told as done', async () => {
  const [product, order] = [await shop.product(1), randomUUID()];
  await expect(shop.reserve(order, [line(product, 2)])).rejects.toMatchObject({ code: 'SOLD_OUT' });
  await shop.release(order);
  expect(await shop.state(order)).toBe('REJECTED');
  expect(await shop.told(order)).toMatchObject([{ state: 'FAILED' }, { state: 'COMPLETED' }]);
  expect(await shop.history(order)).toEqual(['RESERVE_FAILED']);
});

test('releasing what was never reserved leaves a tombstone, once, and no history', async () => {
  const order = randomUUID();
  await shop.release(order);
  await shop.release(order);
  expect(await shop.state(order)).toBe('RELEASED');
  expect(await shop.told(order)).toMatchObject([{ state: 'COMPLETED', undo: jobs.releaseTickets.undo }]);
  expect(await shop.history(order)).toEqual([]);
});

test('it costs one statement, also for an unknown reservation', async () => {
  const { order } = await heldOrder();
  shop.statements.count = 0;
  await shop.release(order);
  await shop.release(randomUUID());
  expect(shop.statements.count).toBe(2);
});
