import { randomUUID } from 'node:crypto';
import { afterAll, beforeAll, expect, test } from '@jest/globals';
import { eventually } from '../../test/support/eventually.ts';
import { changeProduct } from '../products.ts';
import { expireHolds } from '../sweeper.ts';
import { line, openShop, type Shop } from './shop.ts';

let shop: Shop;
beforeAll(async () => {
  shop = await openShop();
});
afterAll(() => shop.close());

/** `'ok'`, or the code of the failure; a failure without a code of ours is a failure of the test. */
const outcome = (work: Promise<unknown>): Promise<string> =>
  work.then(
    () => 'ok',
    (error: unknown) => {
      if (error instanceof Error && 'code' in error && !String(error.code).startsWith('P')) return String(error.code);
      throw error;
    },
  );
const count = (values: string[], value: string) => values.filter((each) => each === value).length;
const times = (n: number) => Array.from({ length: n }, (_, i) => i);

test('of 30 who want one of 10 tickets at once, 10 get one and 20 hear SOLD_OUT', async () => {
  const product = await shop.product(10);
  const answers = await Promise.all(times(30).map(() => outcome(shop.reserve(randomUUID(), [line(product, 1)]))));
  expect(count(answers, 'ok')).toBe(10);
  expect(count(answers, 'SOLD_OUT')).toBe(20);
  expect(await shop.stock(product)).toEqual({ available: 0, held: 10, sold: 0 });
});

test('orders that name the same products in opposite order do not stand in each other’s way', async () => {
  const [a, b] = [await shop.product(100), await shop.product(100)];
  const answers = await Promise.all(
    times(60).map((i) =>
      outcome(shop.reserve(randomUUID(), i % 2 ? [line(a, 1), line(b, 1)] : [line(b, 1), line(a, 1)])),
    ),
  );
  expect(count(answers, 'ok')).toBe(60);
  expect(await shop.stock(a)).toEqual({ available: 40, held: 60, sold: 0 });
});

test('of several process instances for one order, one gets the tickets and the others are duplicates', async () => {
  const [product, order] = [await shop.product(10), randomUUID()];
  const answers = await Promise.all(
    times(8).map((i) => outcome(shop.reserve(order, [line(product, 2)], { owner: `${order} ${i}` }))),
  );
  expect(count(answers, 'ok')).toBe(1);
  expect(count(answers, 'DUPLICATE_PROCESS')).toBe(7);
  expect(await shop.stock(product)).toEqual({ available: 8, held: 2, sold: 0 });
});

test('one job that runs in several workers at once holds once', async () => {
  const [product, order] = [await shop.product(10), randomUUID()];
  const answers = await Promise.all(times(8).map(() => shop.reserve(order, [line(product, 2)])));
  expect(new Set(answers.map((answer) => answer.payBy)).size).toBe(1);
  expect(await shop.stock(product)).toEqual({ available: 8, held: 2, sold: 0 });
  expect(await shop.history(order)).toEqual(['RESERVE_CREATED']);
});

test('a release beside the reservation leaves nothing held', async () => {
  const product = await shop.product(100);
  await Promise.all(
    times(20).map(async () => {
      const order = randomUUID();
      await Promise.all([outcome(shop.reserve(order, [line(product, 1)])), shop.release(order)]);
      await shop.release(order, { jobKey: 'after both' });
    }),
  );
  expect(await shop.stock(product)).toEqual({ available: 100, held: 0, sold: 0 });
});

test('whatever runs beside whatever, stock and reservations agree in the end', async () => {
  const products = await Promise.all(times(3).map(() => shop.product(25)));
  const [a = '', b = '', c = ''] = products;
  const baskets = [
    [line(a, 2), line(b, 1)],
    [line(b, 1), line(a, 3)],
    [line(c, 2), line(a, 1)],
    [line(b, 2), line(c, 2)],
  ];
  await Promise.all(
    times(40).map(async (i) => {
      const order = randomUUID();
      const basket = baskets[i % baskets.length] ?? [];
      await outcome(shop.reserve(order, basket));
      if (i % 3 === 0) await shop.letHoldEnd(order);
      await Promise.all([
        outcome(shop.confirm(order)),
        i % 2 ? shop.release(order) : outcome(shop.reserve(order, basket)),
        expireHolds(shop.db),
        outcome(shop.confirm(order, { jobKey: 'anew' })),
      ]);
    }),
  );

  const booked = await shop.db.$queryRaw<{ id: string; held: number; sold: number }[]>`
    select p.id, coalesce(sum(l.quantity) filter (where r.state = 'HELD'), 0)::int as held,
      coalesce(sum(l.quantity) filter (where r.state = 'CONFIRMED'), 0)::int as sold
    from product p left join reservation_line l on l.product_id = p.id left join reservation r on r.id = l.reservation_id
    where p.id = any(${products}) group by p.id`;
  for (const { id, held, sold } of booked)
    expect(await shop.stock(id)).toEqual({ available: 25 - held - sold, held, sold });
  expect(booked.some(({ sold }) => sold > 0)).toBe(true);
});

test('what waited for another transaction counts from the stock as that one left it', async () => {
  // Each of these would break a constraint if it counted from the row as it was when its statement began.
  const [freed, sold, grown] = [await shop.product(1), await shop.product(1), await shop.product(5)];
  const [first, second] = [randomUUID(), randomUUID()];
  await shop.reserve(first, [line(freed, 1)]);
  await shop.reserve(second, [line(sold, 1)]);
  const other = await shop.database.admin.connect();
  try {
    await other.query('begin');
    await other.query('update inventory.product set available = 1, held = 0 where id = $1', [freed]);
    await other.query("update inventory.reservation set state = 'CONFIRMED' where id = $1", [second]);
    await other.query('update inventory.product set held = 0, sold = 1 where id = $1', [sold]);
    await other.query('update inventory.product set available = 1, held = 4 where id = $1', [grown]);

    const waiting = [
      shop.reserve(randomUUID(), [line(freed, 1)]),
      shop.release(second),
      changeProduct(shop.db, grown, { stock: 4 }),
    ];
    const all = Promise.all(waiting);
    await eventually('all three wait for the lock', async () => {
      const { rows } = await shop.database.admin.query<{ n: string }>(
        "select count(*) as n from pg_stat_activity where datname = current_database() and wait_event_type = 'Lock'",
      );
      return rows[0]?.n === '3';
    });
    await other.query('commit');
    await all;
  } finally {
    other.release();
  }
  expect(await shop.stock(freed)).toEqual({ available: 0, held: 1, sold: 0 });
  expect(await shop.stock(sold)).toEqual({ available: 1, held: 0, sold: 0 });
  expect(await shop.stock(grown)).toEqual({ available: 0, held: 4, sold: 0 });
});
