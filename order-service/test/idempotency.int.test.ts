/** One key, many repeats at once, and two order-services on one database. */
import { afterAll, beforeAll, beforeEach, expect, it } from '@jest/globals';
import { v7 as uuidV7 } from 'uuid';
import { testDatabase, type TestDatabase } from '../../test/support/postgres.ts';
import { addCatalog, listening, testService, type TestService } from './support.ts';

let database: TestDatabase;
let services: TestService[];
let servers: Awaited<ReturnType<typeof listening>>[];
let key: string;

beforeAll(async () => {
  database = await testDatabase();
  services = [await testService(database), await testService(database)];
  servers = await Promise.all(services.map(({ app }) => listening(app)));
  for (const { db } of services.slice(0, 1)) await addCatalog(db);
});
beforeEach(() => {
  key = uuidV7();
});
afterAll(async () => {
  await Promise.all(servers.map((server) => server.close()));
  await Promise.all(services.map((service) => service.orderEvents.stop()));
  await database.drop();
});

type Answer = { status: number; id: string; code: string; replayed: boolean };

/** Posts to the two services in turn; one that is too busy asks to be tried again, which is what the key is for. */
async function post(turn: number, body: object, customer: string): Promise<Answer> {
  const answer = await postOnce(turn, body, customer);
  return answer.status === 503 ? post(turn + 1, body, customer) : answer;
}

async function postOnce(turn: number, body: object, customer: string): Promise<Answer> {
  const response = await fetch(`${servers[turn % servers.length]?.url}/orders`, {
    method: 'POST',
    headers: { 'content-type': 'application/json', authorization: customer, 'idempotency-key': key },
    body: JSON.stringify(body),
  });
  const json: { id?: string; code?: string } = Object(await response.json());
  const replayed = response.headers.get('idempotency-replayed') === 'true';
  return { status: response.status, id: json.id ?? '', code: json.code ?? '', replayed };
}

const one = { productId: '1', quantity: 1 };
const fifty = Array.from({ length: 50 }, (_, turn) => turn);
async function stored(table: string, column: string, ids: string[]): Promise<number> {
  const { rows } = await database.admin.query<{ n: number }>(
    `select count(*)::int as n from orders.${table} where ${column}::text = any($1)`,
    [ids],
  );
  return rows[0]?.n ?? 0;
}

it('makes one order, and one event of it, of fifty repeats at once at two services', async () => {
  const answers = await Promise.all(fifty.map((turn) => post(turn, one, 'ann')));

  expect(new Set(answers.map(({ status }) => status))).toEqual(new Set([202]));
  expect(answers.filter(({ replayed }) => !replayed)).toHaveLength(1);
  const ids = [...new Set(answers.map(({ id }) => id))];
  expect(ids).toHaveLength(1);
  expect(await stored('purchase', 'customer_id', ['ann'])).toBe(1);
  expect(await stored('outbox', 'key', ids)).toBe(1);
  expect(await stored('history', 'order_id', ids)).toBe(1);
});

it('of two bodies that race under one key takes one and refuses the other, whichever comes first', async () => {
  const answers = await Promise.all(
    fifty.map((turn) => post(turn, { ...one, quantity: 1 + (turn % 4 > 1 ? 1 : 0) }, 'bob')),
  );

  const taken = answers.filter(({ status }) => status === 202);
  const refused = answers.filter(({ status }) => status === 422);
  expect(taken.length + refused.length).toBe(50);
  expect(new Set(refused.map(({ code }) => code))).toEqual(new Set(['IDEMPOTENCY_KEY_REUSED']));
  expect(new Set(taken.map(({ id }) => id)).size).toBe(1);
  expect(await stored('purchase', 'customer_id', ['bob'])).toBe(1);
});

it('is the own of each customer, also when they post at once', async () => {
  const answers = await Promise.all(fifty.map((turn) => post(turn, one, `customer-${turn % 5}`)));
  expect(new Set(answers.map(({ status }) => status))).toEqual(new Set([202]));
  expect(new Set(answers.map(({ id }) => id)).size).toBe(5);
  expect(answers.filter(({ replayed }) => !replayed)).toHaveLength(5);
});

it('gives one new order to fifty that come at once after its time is over', async () => {
  const first = await post(0, one, 'cyd');
  await database.admin.query(
    "update orders.idempotency_key set created_at = now() - interval '2 minutes' where key = $1",
    [key],
  );
  const answers = await Promise.all(fifty.map((turn) => post(turn, { ...one, quantity: 2 }, 'cyd')));
  const ids = [...new Set(answers.map(({ id }) => id))];
  expect(ids).toHaveLength(1);
  expect(ids).not.toContain(first.id);
  expect(await stored('purchase', 'customer_id', ['cyd'])).toBe(2);
  expect(await stored('outbox', 'key', ids)).toBe(1);
});
