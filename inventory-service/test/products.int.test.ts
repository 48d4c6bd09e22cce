import { randomUUID } from 'node:crypto';
import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import { catalogEvent } from '@ticket-saga/contract/topics';
import { createHealth } from '@ticket-saga/runtime/health';
import { createAuthenticate } from '@ticket-saga/runtime/identity';
import { createLogger } from '@ticket-saga/runtime/logger';
import { createMetrics } from '@ticket-saga/runtime/metrics';
import type { Express } from 'express';
import request, { type Response } from 'supertest';
import { createInventoryApp } from '../app.ts';
import { productPage } from '../product-schemas.ts';
import { line, openShop, type Shop } from './shop.ts';

const operator = {
  AUTH_MODE: 'local',
  BIND_ADDRESS: '127.0.0.1',
  OPERATOR_USER: 'techlead',
  OPERATOR_PASSWORD: 'zup@123',
} as const;
const basic = `Basic ${Buffer.from('techlead:zup@123').toString('base64')}`;

let shop: Shop;
let app: Express;
beforeAll(async () => {
  shop = await openShop();
  const logger = createLogger('test', 'error');
  const parts = {
    service: 'inventory-service',
    version: '0',
    logger,
    health: createHealth(),
    metrics: createMetrics('x'),
  };
  app = createInventoryApp(parts, shop.db, createAuthenticate({ ...operator, JWT_ALGORITHM: 'RS256' }));
});
afterAll(() => shop.close());

const post = (body: string | object) => request(app).post('/products').set('Authorization', basic).send(body);
const patch = (id: string, body: string | object) =>
  request(app).patch(`/products/${id}`).set('Authorization', basic).send(body);

async function catalogue(productId: string) {
  const rows = await shop.db.$queryRaw<{ value: string }[]>`
    select value from outbox where topic = 'catalog' and key = ${productId} order by id`;
  return rows.map(({ value }) => catalogEvent.parse(JSON.parse(value)));
}

describe('POST /products', () => {
  test('adds a product, says where it is, and tells the catalogue', async () => {
    const answer = await post({ id: 'gala', name: ' Gala night ', price: 19.99, stock: 7 }).expect(201);
    const gala = {
      id: 'gala',
      name: 'Gala night',
      price: 19.99,
      currency: 'GBP',
      capacity: 7,
      available: 7,
      held: 0,
      sold: 0,
    };
    expect(answer.body).toEqual(gala);
    expect(answer.headers['location']).toBe('/products/gala');
    expect((await request(app).get('/products/gala').expect(200)).body).toEqual(gala);
    expect(await catalogue('gala')).toMatchObject([{ productId: 'gala', name: 'Gala night', price: 1999, version: 1 }]);
  });

  test('makes up an id where none is given', async () => {
    const { body, headers } = await post({ name: 'show', price: 1, stock: 0 }).expect(201);
    expect(body).toMatchObject({ id: expect.stringMatching(/^[0-9a-f-]{36}$/), available: 0 });
    expect(headers['location']).toBe(`/products/${body.id}`);
  });

  test('refuses a taken id and leaves the product as it is', async () => {
    await post({ id: 'taken', name: 'first', price: 1, stock: 1 }).expect(201);
    const answer = await post({ id: 'taken', name: 'second', price: 2, stock: 2 }).expect(409);
    expect(answer.body).toMatchObject({ code: 'ALREADY_EXISTS' });
    expect((await request(app).get('/products/taken')).body).toMatchObject({ name: 'first', capacity: 1 });
    expect(await catalogue('taken')).toHaveLength(1);
  });

  test.each([
    [{ name: 'show', price: -1, stock: 1 }, 'price'],
    [{ name: 'show', price: 1.005, stock: 1 }, 'price'],
    [{ name: 'show', price: 1e300, stock: 1 }, 'price'],
    [{ name: 'show', price: '1', stock: 1 }, 'price'],
    [{ name: 'show', price: 1, stock: -1 }, 'stock'],
    [{ name: 'show', price: 1, stock: 1.5 }, 'stock'],
    [{ name: 'show', price: 1, stock: 2 ** 40 }, 'stock'],
    [{ name: 'a\u0000b', price: 1, stock: 1 }, 'name'],
    [{ name: ['show'], price: 1, stock: 1 }, 'name'],
    [{ id: 'a\u0000b', name: 'show', price: 1, stock: 1 }, 'id'],
    [{ id: {}, name: 'show', price: 1, stock: 1 }, 'id'],
    [{}, 'name'],
    [[{ name: 'show', price: 1, stock: 1 }], 'body'],
  ])('refuses %j and names %s', async (body, path) => {
    const answer = await post(body)
      .expect(422)
      .expect('Content-Type', /problem\+json/);
    expect(answer.body).toMatchObject({ code: 'INVALID_INPUT' });
    expect(answer.body.errors).toContainEqual(expect.objectContaining({ path }));
  });

  test.each([
    ['{"name":', 400, 'MALFORMED_JSON'],
    ['{"name":"show","price":NaN,"stock":1}', 400, 'MALFORMED_JSON'],
    ['null', 422, 'INVALID_INPUT'],
    ['"x"', 422, 'INVALID_INPUT'],
    ['5', 422, 'INVALID_INPUT'],
  ])('refuses the text %s', async (text, status, code) => {
    const answer = await post('').set('Content-Type', 'application/json').send(text).expect(status);
    expect(answer.body).toMatchObject({ code });
  });

  test('refuses 1e999, an empty body, another content type and a body above 100 kB', async () => {
    const json = (text: string) => post('').set('Content-Type', 'application/json').send(text);
    await json('{"name":"show","price":1e999,"stock":1}').expect(422);
    expect((await request(app).post('/products').set('Authorization', basic)).status).toBe(415);
    await post('').set('Content-Type', 'text/plain').send('{}').expect(415);
    await json(`{"name":"${'x'.repeat(110_000)}"}`).expect(413);
    await json('['.repeat(20_000) + ']'.repeat(20_000)).expect(422);
  });

  test('is for operators', async () => {
    const body = { id: 'forbidden', name: 'show', price: 1, stock: 1 };
    await request(app).post('/products').send(body).expect(401);
    await request(app).post('/products').set('Authorization', 'Ada').send(body).expect(403);
    await request(app).get('/products/forbidden').expect(404);
  });
});

describe('PATCH /products/{id}', () => {
  test('changes what is named and tells the catalogue once for each change', async () => {
    const id = await shop.product(10, 5_00);
    expect((await patch(id, { price: 7.5 }).expect(200)).body).toMatchObject({ price: 7.5, capacity: 10 });
    expect((await patch(id, { name: 'Encore', stock: 12 }).expect(200)).body).toMatchObject({
      name: 'Encore',
      available: 12,
    });
    await patch(id, { name: 'Encore', price: 7.5, stock: 12 }).expect(200);
    expect((await catalogue(id)).map(({ version, price, name }) => ({ version, price, name }))).toEqual([
      { version: 1, price: 500, name: `show ${id}` },
      { version: 2, price: 750, name: `show ${id}` },
      { version: 3, price: 750, name: 'Encore' },
    ]);
  });

  test('counts held and sold tickets into the stock and refuses to go below them', async () => {
    const [id, sold, held] = [await shop.product(10), randomUUID(), randomUUID()];
    await shop.reserve(sold, [line(id, 3)]);
    await shop.confirm(sold);
    await shop.reserve(held, [line(id, 2)]);

    const refused = await patch(id, { stock: 4 }).expect(409);
    expect(refused.body).toMatchObject({ code: 'STOCK_BELOW_SOLD' });
    expect(await shop.stock(id)).toEqual({ available: 5, held: 2, sold: 3 });

    const answer = await patch(id, { stock: 5 }).expect(200);
    expect(answer.body).toMatchObject({ capacity: 5, available: 0, held: 2, sold: 3 });
  });

  test('beside a rush neither loses a ticket nor a change', async () => {
    const id = await shop.product(50);
    await Promise.all(
      Array.from({ length: 20 }, async (_, i) => {
        if (i % 4 === 0) await patch(id, { stock: 50 + i }).expect(200);
        else await shop.reserve(randomUUID(), [line(id, 1)]);
      }),
    );
    const { body } = await request(app).get(`/products/${id}`).expect(200);
    expect(body).toMatchObject({ held: 15, available: body.capacity - 15 });
  });

  test.each([[{}], [[]], [{ price: 0 }], [{ stock: null }], [{ name: '' }], [{ capacity: 5 }]])(
    'refuses %j',
    async (body) => {
      const id = await shop.product(1);
      const answer = await patch(id, body).expect(422);
      expect(answer.body).toMatchObject({ code: 'INVALID_INPUT' });
      expect(await catalogue(id)).toHaveLength(1);
    },
  );

  test('is for operators, and knows only products that exist', async () => {
    const id = await shop.product(1);
    await request(app).patch(`/products/${id}`).send({ stock: 5 }).expect(401);
    expect((await patch('nowhere', { stock: 5 }).expect(404)).body).toMatchObject({ code: 'PRODUCT_NOT_FOUND' });
    await patch('%00', { stock: 5 }).expect(404);
  });
});

describe('GET /products', () => {
  test.each(['nowhere', '%00', 'a%20b', 'x'.repeat(3_000), '%F0%9F%8E%9F'])('/%s is not found', async (id) => {
    const answer = await request(app).get(`/products/${id}`).expect(404);
    expect(answer.body).toMatchObject({ code: 'PRODUCT_NOT_FOUND' });
  });

  test('a path that is no URL is a bad request, another method is not allowed', async () => {
    await request(app).get('/products/%E0%A4%A').expect(400);
    await request(app).delete('/products/1').expect(405);
  });

  test('lists every product once over pages, in the order of the ids', async () => {
    for (const id of ['page-1', 'page-2', 'page-3']) await shop.product(1, 1_00, id);
    const seen: string[] = [];
    let cursor: string | null = null;
    do {
      const page: Response = await request(app)
        .get('/products')
        .query({ limit: 2, ...(cursor === null ? {} : { cursor }) })
        .expect(200);
      const { items, nextCursor } = productPage.parse(page.body);
      expect(items.length).toBeLessThanOrEqual(2);
      seen.push(...items.map(({ id }) => id));
      cursor = nextCursor;
    } while (cursor !== null);
    const all = await shop.db.product.findMany({ select: { id: true }, orderBy: { id: 'asc' } });
    expect(seen).toEqual(all.map(({ id }) => id));
  });

  test.each(['limit=0', 'limit=101', 'limit=x', 'cursor=!!', 'cursor=AAAA', 'cursor='])(
    '?%s is refused',
    async (query) => {
      const answer = await request(app).get(`/products?${query}`).expect(422);
      expect(answer.body.errors).toMatchObject([{ path: query.split('=')[0] }]);
    },
  );

  test('is described at /openapi.json', async () => {
    const { body } = await request(app).get('/openapi.json').expect(200);
    expect(Object.keys(body.paths)).toEqual(expect.arrayContaining(['/products', '/products/{id}']));
  });
});
