import { afterAll, expect, it } from '@jest/globals';
import { eventually } from '../support/eventually.ts';
import { brokenStock, shop } from '../support/system.ts';

afterAll(() => shop.close());

it('sells 10 tickets to 30 buyers at once: 10 confirmed, 20 rejected as sold out, none lost', async () => {
  const product = await shop.addProduct(10, 20);
  const placed = await Promise.all(
    Array.from({ length: 30 }, () => shop.place({ productId: product.id, quantity: 1 })),
  );
  const ended = await Promise.all(
    placed.map(({ id }) =>
      eventually(
        `order ${id} has ended`,
        async () => {
          const order = await shop.order(id);
          return order.finished && order;
        },
        { withinMs: 60_000, everyMs: 200 },
      ),
    ),
  );
  const count = (status: string) => ended.filter((order) => order.status === status).length;
  expect({ confirmed: count('CONFIRMED'), rejected: count('REJECTED') }).toEqual({ confirmed: 10, rejected: 20 });
  expect(new Set(ended.filter((order) => order.status === 'REJECTED').map((order) => order.reason?.code))).toEqual(
    new Set(['SOLD_OUT']),
  );
  expect(await shop.product(product.id)).toMatchObject({ capacity: 10, available: 0, held: 0, sold: 10 });
  expect(await brokenStock()).toEqual([]);
}, 90_000);
