/** The provider over HTTP: safe repeats, books, and webhooks that outlive a kill. */
import { createServer, type Server } from 'node:http';
import { once } from 'node:events';
import { randomUUID } from 'node:crypto';
import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import type pg from 'pg';
import { z } from 'zod';
import { createHealth } from '../../runtime/health.ts';
import { closeServer, listen } from '../../runtime/http.ts';
import { createLogger } from '../../runtime/logger.ts';
import { createMetrics } from '../../runtime/metrics.ts';
import { eventually } from '../../test/support/eventually.ts';
import { testDatabase, type TestDatabase } from '../../test/support/postgres.ts';
import { createProviderApp } from '../app.ts';
import { type Clockwork, startClockwork } from '../clockwork.ts';
import { signWebhook } from '../signature.ts';

const [apiKey, webhookSecret] = ['key', 'secret'];
type Heard = { body: string; signature: string };

let database: TestDatabase;
let admin: pg.Pool;
let provider: { server: Server; port: number };
let shop: Server;
let shopUrl: string;
let clockwork: Clockwork;
/** What the shop heard, and what it answers. */
const heard: Heard[] = [];
let shopAnswers = 200;

const logger = createLogger('test', 'error');
logger.silent = true;
const wind = () =>
  startClockwork({ db: database.db('provider'), webhookSecret, logger, health: createHealth().part('clockwork') });

beforeAll(async () => {
  database = await testDatabase();
  admin = database.admin;
  shop = createServer((request, response) => {
    let body = '';
    request.on('data', (chunk: Buffer) => (body += chunk.toString()));
    request.on('end', () => {
      heard.push({ body, signature: String(request.headers['webhook-signature']) });
      response.writeHead(shopAnswers).end();
    });
  }).listen(0, '127.0.0.1');
  await once(shop, 'listening');
  const address = shop.address();
  shopUrl = `http://127.0.0.1:${typeof address === 'object' ? address?.port : ''}/hear`;
  clockwork = wind();
  const appParts = { service: 'provider-simulator', version: 'test', logger, health: createHealth() };
  const parts = { db: database.db('provider'), approvalLimit: 1_000_00, wake: () => clockwork.wake(), apiKey };
  provider = await listen(createProviderApp({ ...appParts, metrics: createMetrics('test') }, parts), 0, '127.0.0.1');
});
afterAll(async () => {
  await clockwork.stop();
  await Promise.all([closeServer(provider.server), closeServer(shop)]);
  await database.drop();
});

const answer = z.record(z.string(), z.unknown());
type Call = { method?: string; key?: string; body?: unknown; auth?: string };

async function call(
  path: string,
  { method = 'POST', key, body, auth = `Bearer ${apiKey}` }: Call = {},
): Promise<Record<string, unknown> & { http: number }> {
  const response = await fetch(`http://127.0.0.1:${provider.port}${path}`, {
    method,
    headers: { 'Content-Type': 'application/json', Authorization: auth, ...(key ? { 'Idempotency-Key': key } : {}) },
    ...(body === undefined ? {} : { body: JSON.stringify(body) }),
  });
  return { http: response.status, ...answer.parse(await response.json()) };
}

const request = (reference: string, token = 'tok_never', more: Record<string, unknown> = {}) =>
  call('/v1/payments', {
    key: `pay:${reference}`,
    body: { reference, amount: 200_00, currency: 'GBP', token, callbackUrl: shopUrl, ...more },
  });
const look = (reference: string) => call(`/v1/payments/${reference}`, { method: 'GET' });
const voidIt = (reference: string) => call(`/v1/payments/${reference}/void`, { key: `void:${reference}`, body: {} });
const refundIt = (reference: string) =>
  call(`/v1/payments/${reference}/refund`, { key: `refund:${reference}`, body: {} });
const heardOf = (reference: string) => heard.filter(({ body }) => body.includes(reference));
const untilHeard = (reference: string, times = 1) =>
  eventually('the shop hears', () => heardOf(reference).length >= times && heardOf(reference));

describe('A call with an idempotency key', () => {
  test('requests one payment, however often it comes', async () => {
    const reference = randomUUID();
    const [first, ...others] = await Promise.all([1, 2, 3].map(() => request(reference)));
    expect(first).toMatchObject({ http: 202, reference, status: 'PENDING', amount: 200_00 });
    for (const other of others) expect(other['id']).toBe(first?.['id']);
  });

  test('that was used with another body is refused', async () => {
    const reference = randomUUID();
    await request(reference);
    expect(await request(reference, 'tok_never', { amount: 1 })).toMatchObject({
      http: 422,
      code: 'IDEMPOTENCY_KEY_REUSED',
    });
  });

  test('refunds an approved payment once', async () => {
    const reference = randomUUID();
    await request(reference, 'tok_approve');
    await untilHeard(reference);
    const answers = await Promise.all([1, 2, 3].map(() => refundIt(reference)));
    for (const one of answers) expect(one).toMatchObject({ http: 200, status: 'REFUNDED', refundedAmount: 200_00 });
  });

  test('must be there', async () => {
    expect(
      await call('/v1/payments', { body: { reference: 'r', amount: 1, currency: 'GBP', callbackUrl: shopUrl } }),
    ).toMatchObject({ http: 422, errors: [{ path: 'Idempotency-Key' }] });
  });
});

describe('A void', () => {
  test('of a payment that waits voids it, and no decision changes that', async () => {
    const reference = randomUUID();
    await request(reference, 'tok_slow:0.1');
    expect(await voidIt(reference)).toMatchObject({ status: 'VOIDED' });
    await eventually('the decision is due', async () => {
      const { rows } = await admin.query(
        `select from provider.decision d join provider.payment p on p.id = d.payment_id where reference = $1 and done_at is not null`,
        [reference],
      );
      return rows.length > 0;
    });
    expect(await look(reference)).toMatchObject({ status: 'VOIDED' });
    expect(heardOf(reference)).toEqual([]);
  });

  test('of an approved payment answers that it is approved', async () => {
    const reference = randomUUID();
    await request(reference, 'tok_approve');
    await untilHeard(reference);
    expect(await voidIt(reference)).toMatchObject({ status: 'APPROVED', approvedAmount: 200_00 });
  });

  test('of a payment never seen refuses its later request', async () => {
    const reference = randomUUID();
    expect(await voidIt(reference)).toMatchObject({ status: 'VOIDED' });
    expect(await request(reference, 'tok_approve')).toMatchObject({ http: 202, status: 'VOIDED' });
    expect(await refundIt(reference)).toMatchObject({ status: 'VOIDED', refundedAmount: 0 });
  });
});

describe('A webhook', () => {
  test('is repeated until the shop has taken it, later each time and signed afresh', async () => {
    const reference = randomUUID();
    shopAnswers = 503;
    await request(reference, 'tok_approve');
    const pauses: number[] = [];
    for (let attempt = 1; attempt <= 3; attempt += 1) {
      await untilHeard(reference, attempt);
      const pause = await eventually('the refusal is noted', async () => {
        const { rows } = await admin.query<{ attempts: number; pause: number }>(
          `select w.attempts, extract(epoch from next_attempt_at - now())::float8 as pause
           from provider.webhook w join provider.payment p on p.id = w.payment_id where reference = $1`,
          [reference],
        );
        return rows[0]?.attempts === attempt && rows[0].pause < 9 && rows[0];
      });
      pauses.push(Math.ceil(pause.pause));
      await admin.query(`update provider.webhook set next_attempt_at = now() where delivered_at is null`);
      clockwork.wake();
    }
    shopAnswers = 200;
    await untilHeard(reference, 4);
    await clockwork.stop();
    clockwork = wind();
    expect(pauses).toEqual([1, 2, 4]);
    for (const { body, signature } of heardOf(reference)) {
      const t = Number(/t=(\d+)/.exec(signature)?.[1]);
      expect(signature).toBe(signWebhook(webhookSecret, body, new Date(t * 1_000)));
      expect(Math.abs(Date.now() / 1_000 - t)).toBeLessThan(30);
    }
  });

  test('and the decision before it are not lost when the provider is killed', async () => {
    await clockwork.stop();
    const reference = randomUUID();
    await request(reference, 'tok_slow:0.05');
    clockwork = wind();
    const [webhook] = await untilHeard(reference);
    expect(JSON.parse(webhook?.body ?? '')).toMatchObject({
      type: 'payment.approved',
      reference,
      amount: 200_00,
      currency: 'GBP',
    });
  });

  test('of one payment keeps the order of its decisions though the first is refused', async () => {
    const reference = randomUUID();
    shopAnswers = 500;
    await request(reference, 'tok_contradict');
    await untilHeard(reference);
    shopAnswers = 200;
    const types = (await untilHeard(reference, 3)).map(
      ({ body }) => z.object({ type: z.string() }).parse(JSON.parse(body)).type,
    );
    expect(types.at(-1)).toBe('payment.approved');
    expect(new Set(types.slice(0, -1))).toEqual(new Set(['payment.declined']));
  });
});

describe('The books', () => {
  const page = z.object({ items: z.array(z.object({ id: z.string() })), nextCursor: z.string().nullable() });

  test('list every payment once, page by page', async () => {
    await Promise.all([1, 2, 3, 4, 5].map(() => request(randomUUID())));
    const seen: string[] = [];
    for (let cursor: string | null = ''; cursor !== null;) {
      const path: string = `/v1/payments?limit=2${cursor && `&cursor=${cursor}`}`;
      const { items, nextCursor } = page.parse(await call(path, { method: 'GET' }));
      seen.push(...items.map((item) => item.id));
      cursor = nextCursor;
    }
    const { rows } = await admin.query<{ id: string }>('select id from provider.payment order by id');
    expect(seen).toEqual(rows.map((row) => row.id));
  });

  test('refuse a cursor that is none', async () => {
    const answered = await call('/v1/payments?cursor=x', { method: 'GET' });
    expect(answered).toMatchObject({ http: 422, errors: [{ path: 'cursor' }] });
  });

  test('add up', async () => {
    const totals = z.object({ items: z.array(z.object({ status: z.string(), approved: z.int() })) });
    const { items } = totals.parse(await call('/v1/totals', { method: 'GET' }));
    const { rows } = await admin.query<{ approved: string }>(
      `select sum(approved_amount) as approved from provider.payment where status = 'APPROVED'`,
    );
    expect(items.find((item) => item.status === 'APPROVED')?.approved).toBe(Number(rows[0]?.approved));
  });
});

describe('Whoever is not the shop', () => {
  test.each(['', 'Bearer wrong', 'Basic a2V5OmtleQ=='])('and sends %p is told nothing', async (auth) => {
    expect(await call(`/v1/payments/${randomUUID()}`, { method: 'GET', auth })).toMatchObject({ http: 401 });
  });
});

test.each([
  ['an unknown reference', '019a0000-0000-7000-8000-000000000001', 404],
  ['a null byte', '%00', 404],
])('%s is not found', async (_, reference, status) => {
  expect((await look(reference)).http).toBe(status);
});

test.each([
  { amount: 1.5 },
  { amount: -1 },
  { amount: '1' },
  { currency: 'pounds' },
  { callbackUrl: 'file:///etc/passwd' },
  { reference: 'a\u0000b' },
])('a request with %j is refused', async (wrong) => {
  expect((await request(randomUUID(), 'tok_approve', wrong)).http).toBe(422);
});
