import { randomUUID } from 'node:crypto';
import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import { changeProduct } from '../products.ts';
import { line, openShop, type Shop } from './shop.ts';

let shop: Shop;
beforeAll(async () => {
  shop = await openShop();
});
afterAll(() => shop.close());

describe('When tickets are there at the right price', () => {
  test('they are held until payBy and grace, and the timeline hears it with the same payBy', async () => {
    const [product, order] = [await shop.product(10, 12_34), randomUUID()];
    const before = Date.now();

    const answer = await shop.reserve(order, [line(product, 3, 12_34)], { paymentDeadline: 'PT90S' });

    expect(answer.total).toBe(37_02);
    expect(answer.payBy).toMatch(/^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z$/);
    expect(Date.parse(answer.payBy) - before).toBeGreaterThan(85_000);
    expect(Date.parse(answer.payBy) - before).toBeLessThan(120_000);
    expect(await shop.stock(product)).toEqual({ available: 7, held: 3, sold: 0 });
    const { payBy, holdUntil } = await shop.db.reservation.findUniqueOrThrow({ where: { id: order } });
    expect(Number(holdUntil) - Number(payBy)).toBe(5 * 60_000);
    expect(await shop.told(order)).toMatchObject([
      { state: 'COMPLETED', history: ['RESERVE_CREATED'], payBy: answer.payBy },
    ]);
  });

  test('a repeat by the same process instance gets the same answer and holds nothing more', async () => {
    const [product, order] = [await shop.product(10), randomUUID()];
    const answer = await shop.reserve(order, [line(product, 3)]);

    expect(await shop.reserve(order, [line(product, 3)])).toEqual(answer);
    expect(await shop.reserve(order, [line(product, 3)], { jobKey: 'step started anew' })).toEqual(answer);

    expect(await shop.stock(product)).toEqual({ available: 7, held: 3, sold: 0 });
    expect(await shop.told(order)).toMatchObject([{ state: 'COMPLETED' }, { state: 'COMPLETED' }]);
    expect(await shop.history(order)).toEqual(['RESERVE_CREATED']);
  });

  test('it costs one statement', async () => {
    const [product, order] = [await shop.product(10), randomUUID()];
    shop.statements.count = 0;
    await shop.reserve(order, [line(product, 1)]);
    expect(shop.statements.count).toBe(1);
  });

  test('the same product on two lines counts together', async () => {
    const [product, order] = [await shop.product(5), randomUUID()];
    await expect(shop.reserve(order, [line(product, 3), line(product, 3)])).rejects.toMatchObject({ code: 'SOLD_OUT' });
    const answer = await shop.reserve(randomUUID(), [line(product, 2), line(product, 3)]);
    expect(answer.total).toBe(500_00);
    expect(await shop.stock(product)).toEqual({ available: 0, held: 5, sold: 0 });
  });

  test('a time to pay with a comma in its seconds is understood', async () => {
    const [product, order] = [await shop.product(5), randomUUID()];
    await expect(shop.reserve(order, [line(product, 1)], { paymentDeadline: 'PT1M0,5S' })).resolves.toMatchObject({});
  });
});

describe('When the reservation moved on', () => {
  test('a repeat after it was confirmed or expired gets the same answer', async () => {
    const [product, confirmed, expired] = [await shop.product(10), randomUUID(), randomUUID()];
    const first = await shop.reserve(confirmed, [line(product, 1)]);
    await shop.confirm(confirmed);
    expect(await shop.reserve(confirmed, [line(product, 1)])).toEqual(first);

    await shop.reserve(expired, [line(product, 2)]);
    await shop.expire(expired);
    expect((await shop.reserve(expired, [line(product, 2)])).total).toBe(200_00);

    expect(await shop.stock(product)).toEqual({ available: 9, held: 0, sold: 1 });
  });

  test('a repeat after its release is a duplicate and holds nothing', async () => {
    const [product, order] = [await shop.product(10), randomUUID()];
    await shop.reserve(order, [line(product, 1)]);
    await shop.release(order);
    await expect(shop.reserve(order, [line(product, 1)])).rejects.toMatchObject({ code: 'DUPLICATE_PROCESS' });
    expect(await shop.stock(product)).toEqual({ available: 10, held: 0, sold: 0 });
  });

  test('a reservation that comes after its release finds the tombstone and holds nothing', async () => {
    const [product, order] = [await shop.product(10), randomUUID()];
    await shop.release(order);
    expect(await shop.state(order)).toBe('RELEASED');
    await expect(shop.reserve(order, [line(product, 1)])).rejects.toMatchObject({ code: 'DUPLICATE_PROCESS' });
    expect(await shop.stock(product)).toEqual({ available: 10, held: 0, sold: 0 });
    expect(await shop.history(order)).toEqual([]);
  });

  test.each(['held', 'confirmed', 'rejected'])(
    'another process instance is told that it is a duplicate of the %s one',
    async (state) => {
      const [product, order, owner] = [await shop.product(10), randomUUID(), randomUUID()];
      await shop.reserve(order, [line(product, state === 'rejected' ? 11 : 1)]).catch(() => undefined);
      if (state === 'confirmed') await shop.confirm(order);
      const before = await shop.stock(product);

      await expect(shop.reserve(order, [line(product, 1)], { owner })).rejects.toMatchObject({
        code: 'DUPLICATE_PROCESS',
      });

      expect(await shop.stock(product)).toEqual(before);
      const last = (await shop.told(order)).at(-1);
      expect(last).toMatchObject({ processInstanceKey: owner, state: 'FAILED', error: { code: 'DUPLICATE_PROCESS' } });
      expect(last).not.toHaveProperty('history');
    },
  );
});

describe('When the order is refused', () => {
  const nowhere = 'no-such-show';

  test.each([
    ['SOLD_OUT', (id: string) => [line(id, 4)], 'Not enough tickets are left for "show ID": 3 of the 4 ordered.'],
    ['PRICE_CHANGED', (id: string) => [line(id, 1, 90_00)], 'The price of "show ID" is 100.00 GBP now, not 90.00.'],
    [
      'PRICE_CHANGED',
      (id: string) => [{ ...line(id, 1), seenPrice: 5 }],
      'The price of "show ID" is 100.00 GBP now, not 0.05.',
    ],
    [
      'UNKNOWN_PRODUCT',
      (id: string) => [line(id, 1), line(nowhere, 1)],
      'The product "no-such-show" is not sold here.',
    ],
  ])('%s is answered with a sentence that names the product, and nothing is held', async (code, itemsOf, sentence) => {
    const [product, order] = [await shop.product(3), randomUUID()];
    const message = sentence.replace('ID', product);

    await expect(shop.reserve(order, itemsOf(product))).rejects.toMatchObject({ code, message });

    expect(await shop.state(order)).toBe('REJECTED');
    expect(await shop.stock(product)).toEqual({ available: 3, held: 0, sold: 0 });
    expect(await shop.told(order)).toMatchObject([
      { state: 'FAILED', error: { code, message }, history: ['RESERVE_FAILED'] },
    ]);
  });

  test('an order past its startBy is ORDER_EXPIRED, whatever else is wrong', async () => {
    const order = randomUUID();
    const late = { startBy: new Date(Date.now() - 5_000).toISOString() };
    await expect(shop.reserve(order, [line(nowhere, 1)], late)).rejects.toMatchObject({ code: 'ORDER_EXPIRED' });
  });

  test('nothing at all left reads "sold out"', async () => {
    const [product, order] = [await shop.product(0), randomUUID()];
    await expect(shop.reserve(order, [line(product, 1)])).rejects.toMatchObject({
      code: 'SOLD_OUT',
      message: `"show ${product}" is sold out.`,
    });
  });

  test('one product short holds none of the others', async () => {
    const [plenty, few, order] = [await shop.product(10), await shop.product(1), randomUUID()];
    await expect(shop.reserve(order, [line(plenty, 1), line(few, 2)])).rejects.toMatchObject({ code: 'SOLD_OUT' });
    expect(await shop.stock(plenty)).toEqual({ available: 10, held: 0, sold: 0 });
  });

  test('a repeat hears the same refusal, although there are tickets now', async () => {
    const [product, order] = [await shop.product(1), randomUUID()];
    const refusal = { code: 'SOLD_OUT', message: expect.stringContaining('1 of the 2') };
    await expect(shop.reserve(order, [line(product, 2)])).rejects.toMatchObject(refusal);
    await changeProduct(shop.db, product, { stock: 50 });

    await expect(shop.reserve(order, [line(product, 2)], { jobKey: 'anew' })).rejects.toMatchObject(refusal);

    expect(await shop.stock(product)).toEqual({ available: 50, held: 0, sold: 0 });
    expect(await shop.history(order)).toEqual(['RESERVE_FAILED']);
  });
});
