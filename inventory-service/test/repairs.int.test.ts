/** Repairs of reservations and stock over HTTP; what is wrong is put in by SQL. */
import { randomUUID } from 'node:crypto';
import type { Server } from 'node:http';
import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import { lateReservation } from '@ticket-saga/contract/jobs';
import { createHealth } from '@ticket-saga/runtime/health';
import { closeServer, listen } from '@ticket-saga/runtime/http';
import { createAuthenticate } from '@ticket-saga/runtime/identity';
import { createLogger } from '@ticket-saga/runtime/logger';
import { createMetrics } from '@ticket-saga/runtime/metrics';
import request from 'supertest';
import { createInventoryApp } from '../app.ts';
import { line, openShop, type Shop } from './shop.ts';

let shop: Shop;
let server: Server;
beforeAll(async () => {
  shop = await openShop();
  const service = 'inventory-service';
  const logger = createLogger('test', 'silent');
  const app = createInventoryApp(
    { service, version: 'test', logger, health: createHealth(), metrics: createMetrics(service) },
    shop.db,
    createAuthenticate({
      AUTH_MODE: 'local',
      BIND_ADDRESS: '127.0.0.1',
      OPERATOR_USER: 'techlead',
      OPERATOR_PASSWORD: 'zup@123',
      JWT_ALGORITHM: 'RS256',
    }),
  );
  ({ server } = await listen(app, 0, '127.0.0.1'));
});
afterAll(async () => {
  await closeServer(server);
  await shop.close();
});

async function post(path: string, sent: object = {}) {
  const call = request(server).post(`/reconciliation/${path}`).auth('techlead', 'zup@123');
  const { status, body } = await call.send(sent);
  return { status, body };
}
const release = (reservationId: string) => post('reservations/release', { reservationId });
const recount = (productId: string) => post(`stock/${productId}/recount`);

describe('Releasing a reservation, whoever owns it', () => {
  test.each([false, true])('frees what is held or sold once (sold: %s), and its order hears so', async (sold) => {
    const [product, order] = [await shop.product(5), randomUUID()];
    await shop.reserve(order, [line(product, 2)]);
    if (sold) await shop.confirm(order);
    const both = await Promise.all([release(order), release(order)]);
    for (const answer of [...both, await release(order)])
      expect(answer).toEqual({ status: 200, body: { state: 'RELEASED' } });
    expect(await shop.stock(product)).toEqual({ available: 5, held: 0, sold: 0 });
    const told = (await shop.told(order)).filter(({ history }) => history?.includes('RESERVE_RELEASED'));
    expect(told).toMatchObject([{ type: 'FACT', repair: true }]);
  });

  test('frees that of a late payment, and leaves the other', async () => {
    const [product, order] = [await shop.product(5), randomUUID()];
    await shop.reserve(order, [line(product, 1)]);
    await shop.reserve(order, [line(product, 1)], { late: true });
    expect((await release(lateReservation(order))).body).toEqual({ state: 'RELEASED' });
    expect(await shop.state(order)).toBe('HELD');
    expect(await shop.stock(product)).toEqual({ available: 4, held: 1, sold: 0 });
  });

  test('keeps an expired hold from being taken again', async () => {
    const [product, order] = [await shop.product(5), randomUUID()];
    await shop.reserve(order, [line(product, 1)]);
    await shop.expire(order);
    expect((await release(order)).body).toEqual({ state: 'EXPIRED' });
    await expect(shop.confirm(order)).rejects.toMatchObject({ code: 'RESERVATION_EXPIRED' });
  });

  test('is refused where no ticket was ever held, or nobody knows it, and leaves nothing behind', async () => {
    const [product, order] = [await shop.product(1), randomUUID()];
    await expect(shop.reserve(order, [line(product, 2)])).rejects.toMatchObject({ code: 'SOLD_OUT' });
    expect(await release(order)).toMatchObject({ status: 409, body: { code: 'STALE_ACTION' } });
    const unknown = randomUUID();
    expect(await release(unknown)).toMatchObject({ status: 404, body: { code: 'NOT_FOUND' } });
    expect(await shop.state(unknown)).toBeUndefined();
  });

  test.each([{}, { reservationId: 7 }, { reservationId: 'x' }, { reservationId: `${randomUUID()}/early` }])(
    'names the field when it is sent %j',
    async (sent) => {
      const answer = await post('reservations/release', sent);
      expect(answer).toMatchObject({ status: 422, body: { errors: [{ path: 'reservationId' }] } });
    },
  );
});

describe('Counting stock anew', () => {
  /** Five of ten are held, three are sold; the counts say otherwise. */
  async function miscounted(set: string) {
    const [product, held, sold] = [await shop.product(10), randomUUID(), randomUUID()];
    await shop.reserve(held, [line(product, 5)]);
    await shop.reserve(sold, [line(product, 3)]);
    await shop.confirm(sold);
    await shop.database.admin.query(`update inventory.product set ${set} where id = $1`, [product]);
    return product;
  }
  const right = { available: 2, held: 5, sold: 3 };

  test.each(['held = held + 2, available = available - 2', 'sold = 0, held = 8', 'held = 0, sold = 0, available = 10'])(
    'where it was %s, it is the sums of the reservations, and again',
    async (set) => {
      const product = await miscounted(set);
      const row = { productId: product, capacity: 10, ...right, heldByReservations: 5, soldByReservations: 3 };
      for (const _ of [1, 2]) expect(await recount(product)).toEqual({ status: 200, body: row });
      expect(await shop.stock(product)).toEqual(right);
      const { body } = await request(server).get('/reconciliation/stock').auth('techlead', 'zup@123');
      expect(body).toEqual({ items: [] });
    },
  );

  test('is refused where more is sold than there is: it says how many, and changes nothing', async () => {
    const product = await miscounted('capacity = 6, available = 2, held = 3, sold = 1');
    const answer = await recount(product);
    expect(answer).toMatchObject({ status: 409, body: { code: 'STOCK_BELOW_SOLD' } });
    expect(answer.body.detail).toContain('oversold by 2');
    expect(await shop.stock(product)).toEqual({ available: 2, held: 3, sold: 1 });
    await shop.database.admin.query('update inventory.product set capacity = 10, available = 6 where id = $1', [
      product,
    ]);
    expect((await recount(product)).body).toMatchObject(right);
  });

  test('is right while tickets are held, sold and freed all the time', async () => {
    const product = await miscounted('held = held + 2, available = available - 2, capacity = capacity');
    await shop.database.admin.query(
      'update inventory.product set capacity = capacity + 100, available = available + 100 where id = $1',
      [product],
    );
    const buy = async (number: number) => {
      const order = randomUUID();
      await shop.reserve(order, [line(product, 1)]);
      if (number % 3 > 0) await shop.confirm(order);
      if (number % 3 > 1) await shop.release(order);
    };
    const counts = Array.from({ length: 12 }, () => recount(product));
    const [answers] = await Promise.all([
      Promise.all(counts),
      ...Array.from({ length: 36 }, (_, number) => buy(number)),
    ]);
    for (const { status } of answers) expect(status).toBe(200);
    expect(await shop.stock(product)).toEqual({ available: 78, held: 17, sold: 15 });
  });

  test.each([randomUUID(), '%00', 'a%20b'])('knows no product %s', async (id) => {
    expect(await recount(id)).toMatchObject({ status: 404, body: { code: 'PRODUCT_NOT_FOUND' } });
  });
});

test('Repairs are for operators', async () => {
  for (const path of ['reservations/release', 'stock/1/recount'])
    expect((await request(server).post(`/reconciliation/${path}`).send({})).status).toBe(401);
});
