/** The second reservation of an order: tickets for money that came after the first was let go. */
import { randomUUID } from 'node:crypto';
import { afterAll, beforeAll, expect, test } from '@jest/globals';
import { line, openShop, type Shop } from './shop.ts';

let shop: Shop;
beforeAll(async () => {
  shop = await openShop();
});
afterAll(() => shop.close());

const late = (order: string) => ({ late: true, owner: `first late-payment of ${order}` });
const other = (order: string) => ({ late: true, owner: `second late-payment of ${order}` });

/** An order whose own reservation was released. */
async function endedOrder(stock = 10) {
  const [product, order] = [await shop.product(stock), randomUUID()];
  await shop.reserve(order, [line(product, 2)]);
  await shop.release(order);
  return { product, order };
}

test('tickets are held and sold again beside the reservation that was released', async () => {
  const { product, order } = await endedOrder();
  await shop.reserve(order, [line(product, 2)], late(order));
  expect(await shop.stock(product)).toEqual({ available: 8, held: 2, sold: 0 });
  await shop.confirm(order, late(order));
  await shop.confirm(order, late(order));
  expect(await shop.stock(product)).toEqual({ available: 8, held: 0, sold: 2 });
  expect([await shop.state(order), await shop.state(`${order}/late`)]).toEqual(['RELEASED', 'CONFIRMED']);
});

test('the price that was paid stands, whatever the tickets cost now, and no order is too old', async () => {
  const { product, order } = await endedOrder();
  const reserved = await shop.reserve(order, [line(product, 2, 70_00)], late(order));
  expect(reserved.total).toBe(140_00);
  const [kept] = await shop.db.$queryRaw<{ total: number; unit_price: number }[]>`
    select r.total, l.unit_price from reservation r join reservation_line l on l.reservation_id = r.id where r.id = ${`${order}/late`}`;
  expect(kept).toEqual({ total: 140_00, unit_price: 70_00 });
});

test('the order is told no new time to pay', async () => {
  const { product, order } = await endedOrder();
  await shop.reserve(order, [line(product, 2)], late(order));
  const told = await shop.told(order);
  expect(told.map((event) => 'payBy' in event)).toEqual([true, false, false]);
});

test('when they are sold out nothing is held, and a repeat hears the same', async () => {
  const { product, order } = await endedOrder(2);
  await shop.reserve(randomUUID(), [line(product, 1)]);
  for (const jobKey of ['1', '1', 'anew'])
    await expect(shop.reserve(order, [line(product, 2)], { ...late(order), jobKey })).rejects.toMatchObject({
      code: 'SOLD_OUT',
    });
  expect(await shop.stock(product)).toEqual({ available: 1, held: 1, sold: 0 });
});

test('a second process instance gets nothing, before and after the first let go', async () => {
  const { product, order } = await endedOrder();
  await shop.reserve(order, [line(product, 2)], late(order));
  await expect(shop.reserve(order, [line(product, 2)], other(order))).rejects.toMatchObject({
    code: 'DUPLICATE_PROCESS',
  });
  await shop.confirm(order, late(order));
  await shop.release(order, late(order));
  await shop.release(order, { ...late(order), jobKey: 'again' });
  await expect(shop.reserve(order, [line(product, 2)], other(order))).rejects.toMatchObject({
    code: 'DUPLICATE_PROCESS',
  });
  expect(await shop.stock(product)).toEqual({ available: 10, held: 0, sold: 0 });
});

test('an undo of the ended order that wakes up late does not touch it', async () => {
  const { product, order } = await endedOrder();
  await shop.reserve(order, [line(product, 2)], late(order));
  await shop.confirm(order, late(order));
  await shop.release(order, { jobKey: 'woke up' });
  await expect(shop.confirm(order, { jobKey: 'woke up' })).rejects.toMatchObject({ code: 'RESERVATION_EXPIRED' });
  expect(await shop.stock(product)).toEqual({ available: 8, held: 0, sold: 2 });
});
