import { generateKeyPairSync } from 'node:crypto';
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { SignJWT } from 'jose';
import request from 'supertest';
import { testDatabase, type TestDatabase } from '../../test/support/postgres.ts';
import { addCatalog, testService, type TestService } from './support.ts';

let database: TestDatabase;
let local: TestService;
let jwt: TestService;
const { publicKey, privateKey } = generateKeyPairSync('ec', { namedCurve: 'P-256' });

beforeAll(async () => {
  database = await testDatabase();
  local = await testService(database);
  jwt = await testService(database, {
    identity: { AUTH_MODE: 'jwt', JWT_PUBLIC_KEY: publicKey.export({ type: 'spki', format: 'pem' }).toString() },
  });
  await addCatalog(local.db);
});
afterAll(async () => {
  await local.orderEvents.stop();
  await jwt.orderEvents.stop();
  await database.drop();
});

const bearer = async (sub: string, roles: string[] = []) =>
  `Bearer ${await new SignJWT({ roles }).setProtectedHeader({ alg: 'ES256' }).setSubject(sub).setExpirationTime('5m').sign(privateKey)}`;
const place = async (customerId: string): Promise<string> =>
  (await request(local.app).post('/orders').send({ customerId, productId: '1', quantity: 1 })).body.id;
const ids = (body: { items: { id: string }[] }) => body.items.map(({ id }) => id);

describe('GET /orders', () => {
  it('gives pages, newest first, each order once, also while new ones come in', async () => {
    const placed: string[] = [];
    for (let n = 0; n < 5; n += 1) placed.push(await place('pat'));
    const first = await request(local.app).get('/orders?customerId=pat&limit=2');
    await place('pat');
    const second = await request(local.app).get(`/orders?customerId=pat&limit=2&cursor=${first.body.nextCursor}`);
    const third = await request(local.app).get(`/orders?customerId=pat&limit=2&cursor=${second.body.nextCursor}`);

    expect([...ids(first.body), ...ids(second.body), ...ids(third.body)]).toEqual(placed.toReversed());
    expect(third.body.nextCursor).toBeNull();
    const one = await request(local.app).get(`/orders/${placed[0]}`);
    expect(third.body.items).toEqual([one.body]);
  });

  it('has no next page where the page just fits', async () => {
    await place('fit');
    expect((await request(local.app).get('/orders?customerId=fit&limit=1')).body.nextCursor).toBeNull();
  });

  it('can be narrowed by status', async () => {
    const id = await place('quinn');
    const pending = await request(local.app).get('/orders?customerId=quinn&status=PENDING');
    const rejected = await request(local.app).get('/orders?customerId=quinn&status=REJECTED');
    expect(ids(pending.body)).toEqual([id]);
    expect(rejected.body).toEqual({ items: [], nextCursor: null });
  });

  it.each([
    ['cursor=abc', 'cursor'],
    ['cursor=', 'cursor'],
    ['limit=0', 'limit'],
    ['limit=101', 'limit'],
    ['limit=ten', 'limit'],
    ['status=DONE', 'status'],
    ['status=PENDING&status=REJECTED', 'status'],
    ['customerId=%00', 'customerId'],
  ])('refuses %s', async (query, path) => {
    const answer = await request(local.app).get(`/orders?${query}`);
    expect(answer.status).toBe(422);
    expect(answer.body).toMatchObject({ code: 'INVALID_INPUT', errors: [{ path }] });
  });
});

describe('customers', () => {
  it('can be added, read, and listed in pages', async () => {
    const added = await request(local.app).post('/customers').send({ id: 'zz-top', name: ' Zoë Top ' });
    expect(added.status).toBe(201);
    expect(added.headers['location']).toBe('/customers/zz-top');
    expect(added.body).toMatchObject({ id: 'zz-top', name: 'Zoë Top' });
    expect((await request(local.app).get('/customers/zz-top')).body).toEqual(added.body);
    const generated = await request(local.app).post('/customers').send({ name: 'No Id' });
    expect(generated.body.id).toMatch(/^[0-9a-f-]{36}$/);

    const seen: string[] = [];
    for (let cursor: string | null = ''; cursor !== null;) {
      const page: { items: { id: string }[]; nextCursor: string | null } = (
        await request(local.app).get(`/customers?limit=2${cursor ? `&cursor=${encodeURIComponent(cursor)}` : ''}`)
      ).body;
      seen.push(...ids(page));
      cursor = page.nextCursor;
    }
    expect(new Set(seen).size).toBe(seen.length);
    expect(seen).toEqual(expect.arrayContaining(['zz-top', generated.body.id]));
  });

  it('exist once', async () => {
    await request(local.app).post('/customers').send({ id: 'twice', name: 'A' });
    const again = await request(local.app).post('/customers').send({ id: 'twice', name: 'B' });
    expect(again.status).toBe(409);
    expect(again.body.code).toBe('ALREADY_EXISTS');
  });

  it.each([[{}], [{ name: '' }], [{ name: 'a\u0000' }], [{ name: '\ud800' }], [{ id: '', name: 'x' }], [{ name: 5 }]])(
    'are refused when wrong: %j',
    async (body) => {
      expect((await request(local.app).post('/customers').send(body)).status).toBe(422);
    },
  );

  it.each(['nobody', '%00', '%F0%9F%8E%AB'])('that are not known are 404: %s', async (id) => {
    const answer = await request(local.app).get(`/customers/${id}`);
    expect(answer.status).toBe(404);
    expect(answer.body.code).toBe('CUSTOMER_NOT_FOUND');
  });
});

describe('in JWT mode', () => {
  it('nobody sees anything without a token', async () => {
    for (const path of ['/orders', '/customers', `/orders/${await place('ann')}`]) {
      expect((await request(jwt.app).get(path)).status).toBe(401);
    }
  });

  it('customers order for themselves, and see and cancel their own orders only', async () => {
    const ann = { Authorization: await bearer('ann') };
    const bob = { Authorization: await bearer('bob') };
    const placed = await request(jwt.app).post('/orders').set(ann).send({ productId: '1', quantity: 1 });
    expect(placed.body.customerId).toBe('ann');
    const id = placed.body.id;
    const mismatch = await request(jwt.app)
      .post('/orders')
      .set(bob)
      .send({ customerId: 'ann', productId: '1', quantity: 1 });
    expect(mismatch.body.code).toBe('CUSTOMER_MISMATCH');

    expect((await request(jwt.app).get(`/orders/${id}`).set(ann)).status).toBe(200);
    expect((await request(jwt.app).get(`/orders/${id}`).set(bob)).status).toBe(404);
    expect((await request(jwt.app).get(`/orders/${id}/events`).set(bob)).status).toBe(404);
    expect((await request(jwt.app).post(`/orders/${id}/cancel`).set(bob)).status).toBe(404);
    expect((await request(jwt.app).post(`/orders/${id}/cancel`).set(ann)).status).toBe(202);
    expect(ids((await request(jwt.app).get('/orders').set(ann)).body)).toContain(id);
    expect(ids((await request(jwt.app).get('/orders').set(bob)).body)).not.toContain(id);
    expect((await request(jwt.app).get('/orders?customerId=ann').set(bob)).status).toBe(404);
    expect((await request(jwt.app).get('/customers/ann').set(bob)).status).toBe(404);
    expect(ids((await request(jwt.app).get('/customers').set(ann)).body)).toEqual(['ann']);
    expect((await request(jwt.app).post('/customers').set(ann).send({ name: 'x' })).status).toBe(403);
  });

  it('operators see all, and order for the customer whom they name', async () => {
    const operator = { Authorization: await bearer('desk', ['operator']) };
    const placed = await request(jwt.app)
      .post('/orders')
      .set(operator)
      .send({ customerId: 'cy', productId: '1', quantity: 1 });
    expect(placed.body.customerId).toBe('cy');
    expect((await request(jwt.app).get(`/orders/${placed.body.id}`).set(operator)).status).toBe(200);
    const nameless = await request(jwt.app).post('/orders').set(operator).send({ productId: '1', quantity: 1 });
    expect(nameless.body).toMatchObject({ code: 'INVALID_INPUT', errors: [{ path: 'customerId' }] });
  });
});

it('an order is read by one statement', async () => {
  const id = await place('one');
  const { $queryRaw } = local.db;
  let statements = 0;
  local.db.$queryRaw = ((...call: Parameters<typeof $queryRaw>) => (
    (statements += 1),
    $queryRaw.apply(local.db, call)
  )) as typeof $queryRaw;
  await request(local.app).get(`/orders/${id}`);
  local.db.$queryRaw = $queryRaw;
  expect(statements).toBe(1);
});
