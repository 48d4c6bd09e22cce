import { randomUUID } from 'node:crypto';
import { afterAll, beforeAll, expect, test } from '@jest/globals';
import { line, openShop, type Shop } from './shop.ts';

let shop: Shop;
beforeAll(async () => {
  shop = await openShop();
});
afterAll(() => shop.close());

const gone = { code: 'RESERVATION_EXPIRED' };

async function heldOrder({ of = 10, quantity = 2 } = {}) {
  const [product, order] = [await shop.product(of), randomUUID()];
  await shop.reserve(order, [line(product, quantity)]);
  return { product, order };
}

test('confirming twice sells the held tickets once', async () => {
  const { product, order } = await heldOrder();
  await shop.confirm(order);
  await shop.confirm(order);
  await shop.confirm(order, { jobKey: 'anew' });
  expect(await shop.stock(product)).toEqual({ available: 8, held: 0, sold: 2 });
  expect(await shop.state(order)).toBe('CONFIRMED');
  expect(await shop.history(order)).toEqual(['RESERVE_CREATED']);
});

test('a hold whose time is over still counts as long as nobody swept it', async () => {
  const { product, order } = await heldOrder();
  await shop.letHoldEnd(order);
  await shop.confirm(order);
  expect(await shop.stock(product)).toEqual({ available: 8, held: 0, sold: 2 });
});

test('an expired hold takes its tickets again when they are still there', async () => {
  const { product, order } = await heldOrder();
  await shop.expire(order);
  expect(await shop.stock(product)).toEqual({ available: 10, held: 0, sold: 0 });
  await shop.confirm(order);
  await shop.confirm(order);
  expect(await shop.stock(product)).toEqual({ available: 8, held: 0, sold: 2 });
});

test('an expired hold whose tickets are gone is RESERVATION_EXPIRED, also the second time', async () => {
  const { product, order } = await heldOrder({ of: 2 });
  await shop.expire(order);
  await shop.reserve(randomUUID(), [line(product, 1)]);
  await expect(shop.confirm(order)).rejects.toMatchObject(gone);
  await expect(shop.confirm(order)).rejects.toMatchObject(gone);
  expect(await shop.stock(product)).toEqual({ available: 1, held: 1, sold: 0 });
  expect(await shop.state(order)).toBe('EXPIRED');
  expect((await shop.told(order)).at(-1)).toMatchObject({ state: 'FAILED', error: gone });
});

test('an expired hold on several products takes all again or none', async () => {
  const [plenty, few, order] = [await shop.product(9), await shop.product(1), randomUUID()];
  await shop.reserve(order, [line(plenty, 1), line(few, 1)]);
  await shop.expire(order);
  await shop.reserve(randomUUID(), [line(few, 1)]);
  await expect(shop.confirm(order)).rejects.toMatchObject(gone);
  expect(await shop.stock(plenty)).toEqual({ available: 9, held: 0, sold: 0 });
});

test('a released reservation is not confirmed', async () => {
  const { product, order } = await heldOrder();
  await shop.release(order);
  await expect(shop.confirm(order)).rejects.toMatchObject(gone);
  expect(await shop.stock(product)).toEqual({ available: 10, held: 0, sold: 0 });
});

test('an expired hold that was released meanwhile takes no tickets again', async () => {
  const { product, order } = await heldOrder();
  await shop.expire(order);
  await shop.release(order);
  await expect(shop.confirm(order)).rejects.toMatchObject(gone);
  await expect(shop.reserve(order, [line(product, 2)])).rejects.toMatchObject({ code: 'DUPLICATE_PROCESS' });
  expect(await shop.stock(product)).toEqual({ available: 10, held: 0, sold: 0 });
});

test('a refused or unknown reservation is not confirmed', async () => {
  const [product, refused] = [await shop.product(1), randomUUID()];
  await expect(shop.reserve(refused, [line(product, 2)])).rejects.toMatchObject({ code: 'SOLD_OUT' });
  await expect(shop.confirm(refused)).rejects.toMatchObject(gone);
  await expect(shop.confirm(randomUUID())).rejects.toMatchObject(gone);
  expect(await shop.stock(product)).toEqual({ available: 1, held: 0, sold: 0 });
});

test('it costs one statement', async () => {
  const { order } = await heldOrder();
  shop.statements.count = 0;
  await shop.confirm(order);
  expect(shop.statements.count).toBe(1);
});
