import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import request from 'supertest';
import { Problem } from '@ticket-saga/runtime/problem';
import { deleteOld } from '@ticket-saga/runtime/retention';
import { ownService, type OwnService, techlead } from './support.ts';

let service: OwnService;
const asked: string[] = [];

beforeAll(async () => {
  service = await ownService({
    askInventory: async (id) => {
      asked.push(id);
      if (id === 'away') throw new Problem('DEPENDENCY_UNAVAILABLE', 'away');
      return id === 'fresh' ? { id, name: 'fresh', price: 42_00 } : undefined;
    },
  });
});
afterAll(() => service.stop());

const post = (body: object, headers: Record<string, string> = {}) =>
  request(service.app).post('/orders').set(headers).send(body);
const outbox = (orderId: string) =>
  service.database.admin.query(`select * from orders.outbox where key = $1`, [orderId]);
const count = async (table: string) =>
  Number((await service.database.admin.query(`select count(*) from orders.${table}`)).rows[0].count);

describe('POST /orders', () => {
  it("takes the training's own body, and computes the total itself", async () => {
    const answer = await post({
      customerId: 'e081ad0f-f83e-4f81-b2d7-23655ac04b8a',
      amount: 10.5,
      items: [{ id: '1', name: 'whatever', amount: 199, quantity: 2 }],
    });

    expect(answer.status).toBe(202);
    expect(answer.headers['location']).toBe(`/orders/${answer.body.id}`);
    expect(answer.body).toMatchObject({
      customerId: 'e081ad0f-f83e-4f81-b2d7-23655ac04b8a',
      items: [{ id: '1', name: 'standard', quantity: 2, unitPrice: 199 }],
      productId: '1',
      quantity: 2,
      totalPrice: 398,
      currency: 'GBP',
      status: 'PENDING',
      reason: null,
      stage: 'Scheduling',
      currentStep: 'OrderPlaced',
      finished: false,
      completedAt: null,
      payBy: null,
      payment: null,
      tickets: [],
      steps: [{ id: 'OrderPlaced', name: 'Order placed', stage: 'Scheduling', state: 'WAITING' }],
      history: [{ state: 'ORDER_CREATED' }],
      version: 1,
    });
    const events = (await outbox(answer.body.id)).rows.map((row) => JSON.parse(row.value));
    expect(events).toMatchObject([
      {
        type: 'ORDER_CREATED',
        orderId: answer.body.id,
        items: [{ productId: '1', quantity: 2, unitPrice: 199_00, seenPrice: 199_00 }],
      },
    ]);
  });

  it('takes the short body, for customer 1', async () => {
    const answer = await post({ productId: 'two', quantity: 3 });
    expect(answer.body).toMatchObject({ customerId: '1', productId: 'two', quantity: 3, totalPrice: 31.5 });
  });

  it('answers just what GET answers then', async () => {
    const placed = await post({ productId: '1', quantity: 1 });
    const got = await request(service.app).get(`/orders/${placed.body.id}`);
    expect(got.status).toBe(200);
    expect(got.body).toEqual(placed.body);
  });

  it('takes ids that are numbers, and null for what is left out', async () => {
    const answer = await post({
      customerId: 7,
      items: [{ id: 1, quantity: 1, name: null, amount: null }],
      payment: null,
    });
    expect(answer.body).toMatchObject({ customerId: '7', productId: '1' });
  });

  it('shows no productId at the top of an order with two products', async () => {
    const answer = await post({
      items: [
        { id: '1', quantity: 1 },
        { id: 'two', quantity: 1 },
      ],
    });
    expect(answer.body.totalPrice).toBe(209.5);
    expect(answer.body).not.toHaveProperty('productId');
    expect(answer.body).not.toHaveProperty('quantity');
  });

  it('merges the same product', async () => {
    const answer = await post({
      items: [
        { id: '1', quantity: 1, amount: 199 },
        { id: '1', quantity: 4 },
      ],
    });
    expect(answer.body.items).toEqual([{ id: '1', name: 'standard', quantity: 5, unitPrice: 199 }]);
  });

  it('passes token and deadline on', async () => {
    const answer = await post({ productId: '1', quantity: 1, payment: { token: 'tok_slow:5', deadline: 'PT1M' } });
    const [row] = (await outbox(answer.body.id)).rows;
    expect(JSON.parse(row.value)).toMatchObject({ paymentToken: 'tok_slow:5', paymentDeadline: 'PT60S' });
  });

  it('asks inventory-service once for a product that the copy does not know', async () => {
    const answers = [await post({ productId: 'fresh', quantity: 1 }), await post({ productId: 'fresh', quantity: 1 })];
    expect(answers.map((answer) => answer.body.totalPrice)).toEqual([42, 42]);
    expect(asked.filter((id) => id === 'fresh')).toHaveLength(1);
  });

  it('refuses a product that is not sold, and names where', async () => {
    const before = await count('purchase');
    const answer = await post({
      items: [
        { id: '1', quantity: 1 },
        { id: 'nothing', quantity: 1 },
      ],
    });
    expect(answer.status).toBe(422);
    expect(answer.body).toMatchObject({ code: 'UNKNOWN_PRODUCT', errors: [{ path: 'items[1].id' }] });
    expect(await count('purchase')).toBe(before);
  });

  it('says 503 while inventory-service is away', async () => {
    const answer = await post({ productId: 'away', quantity: 1 });
    expect(answer.status).toBe(503);
    expect(answer.body.code).toBe('DEPENDENCY_UNAVAILABLE');
  });

  it('is two statements: the catalogue, and the order with all that belongs to it', async () => {
    const statements = await statementsOf(() => post({ productId: '1', quantity: 1 }));
    expect(statements).toBe(2);
  });
});

describe('who orders', () => {
  it('is whom the header names, and becomes a customer', async () => {
    const answer = await post({ productId: '1', quantity: 1 }, { Authorization: 'grace' });
    expect(answer.body.customerId).toBe('grace');
    const customer = await request(service.app).get('/customers/grace');
    expect(customer.body).toMatchObject({ id: 'grace', name: 'grace' });
  });

  it('must not differ between header and body', async () => {
    const answer = await post({ customerId: 'b', productId: '1', quantity: 1 }, { Authorization: 'a' });
    expect(answer.status).toBe(422);
    expect(answer.body).toMatchObject({ code: 'CUSTOMER_MISMATCH', errors: [{ path: 'customerId' }] });
  });

  it('is whom an operator names in the body', async () => {
    const answer = await post({ customerId: 'b', productId: '1', quantity: 1 }, { Authorization: techlead });
    expect(answer.body.customerId).toBe('b');
  });
});

describe('an Idempotency-Key', () => {
  const key = (name: string) => ({ 'Idempotency-Key': name });

  it('names the same order again, as it is now', async () => {
    const first = await post({ productId: '1', quantity: 1 }, key('again'));
    await request(service.app).post(`/orders/${first.body.id}/cancel`);
    const second = await post({ quantity: 1, productId: '1' }, key('again'));

    expect(second.status).toBe(202);
    expect(second.headers['location']).toBe(first.headers['location']);
    expect(first.headers).not.toHaveProperty('idempotency-replayed');
    expect(second.headers['idempotency-replayed']).toBe('true');
    expect(second.body.history).toMatchObject([{ state: 'ORDER_CREATED' }, { state: 'CANCEL_REQUESTED' }]);
  });

  it('makes one order of twenty that come at once', async () => {
    const before = await count('purchase');
    const answers = await Promise.all(
      Array.from({ length: 20 }, () => post({ productId: '1', quantity: 1 }, key('at-once'))),
    );
    expect(answers.map((answer) => answer.status)).toEqual(Array.from({ length: 20 }, () => 202));
    expect(new Set(answers.map((answer) => answer.body.id)).size).toBe(1);
    expect(answers.filter((answer) => answer.headers['idempotency-replayed'] === 'true')).toHaveLength(19);
    expect(await count('purchase')).toBe(before + 1);
    expect((await outbox(answers[0]?.body.id)).rows).toHaveLength(1);
  });

  it('is refused for another body', async () => {
    await post({ productId: '1', quantity: 1 }, key('other'));
    const answer = await post({ productId: '1', quantity: 2 }, key('other'));
    expect(answer.status).toBe(422);
    expect(answer.body.code).toBe('IDEMPOTENCY_KEY_REUSED');
  });

  it('is the own of each customer', async () => {
    const one = await post({ productId: '1', quantity: 1 }, { ...key('mine'), Authorization: 'ann' });
    const other = await post({ productId: '1', quantity: 2 }, { ...key('mine'), Authorization: 'bob' });
    expect([one.status, other.status]).toEqual([202, 202]);
    expect(other.body.id).not.toBe(one.body.id);
  });

  it('is free again when its time is over', async () => {
    const first = await post({ productId: '1', quantity: 1 }, key('old'));
    await service.database.admin.query(
      `update orders.idempotency_key set created_at = now() - interval '2 minutes' where key = 'old'`,
    );
    const second = await post({ productId: '1', quantity: 2 }, key('old'));
    expect(second.status).toBe(202);
    expect(second.body.id).not.toBe(first.body.id);
    expect(second.headers).not.toHaveProperty('idempotency-replayed');
  });

  it('outlives the clean-up while its time runs, and is deleted after it', async () => {
    const rule = { table: 'idempotency_key', since: 'created_at', keepMs: 60_000 };
    const first = await post({ productId: '1', quantity: 1 }, key('kept'));
    await deleteOld(service.db, rule);
    const again = await post({ productId: '1', quantity: 1 }, key('kept'));
    expect([again.body.id, again.headers['idempotency-replayed']]).toEqual([first.body.id, 'true']);
    await service.database.admin.query(
      `update orders.idempotency_key set created_at = now() - interval '2 minutes' where key = 'kept'`,
    );
    expect(await deleteOld(service.db, rule)).toBe(1);
  });

  it.each(['', 'with blank', 'ä', 'x'.repeat(201)])('is refused when malformed: %j', async (bad) => {
    const answer = await post({ productId: '1', quantity: 1 }, key(Buffer.from(bad).toString('latin1')));
    expect(answer.status).toBe(422);
    expect(answer.body).toMatchObject({ code: 'INVALID_INPUT', errors: [{ path: 'Idempotency-Key' }] });
  });
});

/** How many statements the orders role sent meanwhile. */
async function statementsOf(work: () => PromiseLike<unknown>): Promise<number> {
  const spy: string[] = [];
  const { db } = service;
  const raw = db.$queryRaw.bind(db);
  const execute = db.$executeRaw.bind(db);
  db.$queryRaw = ((...call: Parameters<typeof raw>) => (spy.push('query'), raw(...call))) as typeof db.$queryRaw;
  db.$executeRaw = ((...call: Parameters<typeof execute>) => (
    spy.push('execute'),
    execute(...call)
  )) as typeof db.$executeRaw;
  await work();
  db.$queryRaw = raw as typeof db.$queryRaw;
  db.$executeRaw = execute as typeof db.$executeRaw;
  return spy.length;
}
