import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import { createdOrdersEvent } from '@ticket-saga/contract/topics';
import type { Db } from '@ticket-saga/runtime/database';
import { PassingFault } from '@ticket-saga/runtime/errors';
import { z } from 'zod';
import { createProviderBooks } from '../provider-books.ts';
import type { Kind } from '../reconcile-kinds.ts';
import type { ReconcileParts } from '../reconcile-parts.ts';
import { reconcile } from '../reconcile-run.ts';
import { beginRun, findRun, type Mismatch, noteProgress, readMismatches, readRuns } from '../reconcile-runs.ts';
import { createServices } from '../services.ts';
import { changeBooks, fillIn, type FilledShop, openFilledShop, orderIdOf } from './filled-shop.ts';
import { type Seed, seeds } from './seeded-mismatches.ts';

let shop: FilledShop;
let db: Db;
beforeAll(async () => {
  shop = await openFilledShop();
  db = shop.database.db('orchestration');
  await fillIn(shop.database, 1_000);
  await changeBooks(shop.database, []);
});
afterAll(() => shop.close());

/** What the engine was asked to do; its processes that begin with 1 live, and so do those that it starts. */
const asked: unknown[] = [];
const started = new Set<string>();
const engine = {
  isAlive: async (key: string) => key.startsWith('1') || started.has(key),
  startProcessAt: async (processId: string, elementId: string, variables: object) => {
    asked.push({ processId, elementId, ...variables });
    const key = `7${started.size}`;
    started.add(key);
    return key;
  },
  cancelProcess: async (key: string) => void asked.push({ cancelled: key }),
  publishMessage: async ({ name, correlationKey }: { name: string; correlationKey: string }) =>
    void asked.push({ name, correlationKey }),
};
const runningKey = '1555';
let stillRuns: { key: string; processId: string; age: number; orderId: string }[] = [];

function partsOf(): ReconcileParts {
  const { settings, logger } = shop;
  const services = createServices(settings);
  return {
    db,
    engine: engine as unknown as ReconcileParts['engine'],
    services: {
      ...services,
      post: async (service, path, body, answer) => {
        const [, given] = played.find(([of]) => of.test(path)) ?? [];
        if (!given) return services.post(service, path, body, answer);
        asked.push({ service, path, body });
        return answer.parse(given);
      },
    },
    books: createProviderBooks(settings),
    running: {
      async *all() {
        yield* stillRuns;
      },
      orderOf: async () => stillRuns[0]?.orderId ?? null,
    },
    logger,
    settings: { PAYMENT_DEADLINE: 'PT15M', HOLD_GRACE: 'PT5M' } as ReconcileParts['settings'],
    times: { settle: 0.05, overdue: 300 },
    publishOutbox: async () => (asked.push({ published: 'orchestrator' }), { unsent: 0, oldestAge: 0 }),
  };
}

/** Answers of the services' repairs, which are tested where they are made. */
const played: [RegExp, object][] = [
  [/\/ticket-codes$/, { codes: 1 }],
  [/\/reservations\/release$/, { state: 'RELEASED' }],
  [/\/payments\/[^/]+\/return$/, { state: 'REFUNDED' }],
  [/\/settle$/, { state: 'REFUNDED', done: 'refunded' }],
  [/\/provider-payments\/[^/]+\/return$/, { status: 'REFUNDED' }],
  [/\/outbox\/publish$/, { unsent: 0, oldestAge: 0 }],
  [
    /\/recount$/,
    { productId: 'odd', capacity: 3, available: 3, held: 0, sold: 0, heldByReservations: 0, soldByReservations: 0 },
  ],
];

/** A run, and what it found and did about one subject: other tests leave mismatches behind. */
async function runOn(
  subject: string,
  repair: boolean,
  namedKinds: Kind[] = [],
): Promise<{ found: Mismatch[]; acts: unknown[] }> {
  const parts = partsOf();
  const run = await beginRun(parts.db, { operator: 'somebody', reason: 'a test', repair, namedKinds });
  if (!run) throw new Error('Another one runs.');
  asked.length = 0;
  await reconcile(parts, run, new AbortController().signal);
  expect(await findRun(parts.db, run.id)).toMatchObject({ state: 'DONE', notes: [] });
  const all = await readMismatches(parts.db, run.id, 0n, 1_000);
  return {
    found: all.filter((one) => one.subject === subject),
    acts: asked.filter((act) => JSON.stringify(act).includes(subject)),
  };
}

const seed = (kind: string, nth = 0): Seed => {
  const found = seeds.filter((one) => one.kind === kind)[nth];
  if (!found) throw new Error(`no seed of ${kind}`);
  return found;
};

/** The `nth` newest order of a status; the seeds take the oldest. */
async function someOrder(status: string, nth = 0): Promise<string> {
  const { rows } = await shop.database.admin.query<{ id: string }>(
    `select id from orders.purchase where status = $1 order by id desc offset $2 limit 1`,
    [status, nth],
  );
  return String(rows[0]?.id);
}

const audit = async (orderId: string) =>
  shop.database.db('orchestration')
    .$queryRaw`select operator, action, reason, outcome from operator_action where order_id = ${orderId}::uuid order by operator_action.id`;

describe('A repair', () => {
  const abort = (orderId: string) =>
    expect.objectContaining({
      processId: 'ticket-order',
      elementId: 'StopOrder',
      orderId,
      reasonCode: 'ABORTED_BY_OPERATOR',
    });
  const undo = (orderId: string, more = {}) =>
    expect.objectContaining({ processId: 'ticket-order', elementId: 'AbortCancelPayment', orderId, ...more });

  test.each([
    ['order-without-process', abort],
    ['paid-not-confirmed', abort],
    ['held-for-final-order', undo],
    ['sold-for-ended-order', undo],
    ['money-kept', undo],
    ['payment-open', undo],
  ])('of %s is an ordinary step, is audited, and is not even thought of without --repair', async (kind, step) => {
    const { subject, sql } = seed(kind);
    await changeBooks(shop.database, sql);
    const looked = await runOn(subject, false);
    expect(looked).toEqual({ found: [expect.objectContaining({ kind, outcome: null })], acts: [] });
    const repaired = await runOn(subject, true);
    expect(repaired).toEqual({ found: [expect.objectContaining({ kind, outcome: 'done' })], acts: [step(subject)] });
    expect(await audit(subject)).toEqual([
      { operator: 'somebody', action: 'repair', reason: 'a test', outcome: 'done' },
    ]);
  });

  test.each([
    ['paid-but-waiting', 'PAYMENT_APPROVED'],
    ['late-without-process', 'PAYMENT_LATE'],
  ])('of %s has payment-service tell the result again', async (kind, type) => {
    const { subject, sql } = seed(kind);
    await changeBooks(shop.database, sql);
    expect((await runOn(subject, true)).found).toEqual([expect.objectContaining({ kind, outcome: 'done' })]);
    const { rows } = await shop.database.admin.query(
      `select value::jsonb ->> 'type' as type from payments.outbox where topic = 'payment-event' and key = $1`,
      [subject],
    );
    expect(rows).toEqual([{ type }]);
  });

  test('is not begun again while the process of the first one lives', async () => {
    const { subject, sql } = seed('held-for-final-order');
    await changeBooks(shop.database, sql);
    await runOn(subject, true);
    expect(await runOn(subject, true)).toEqual({ found: [], acts: [] });
  });

  test('of tickets that are held for late money names that reservation', async () => {
    const { subject, sql } = seed('held-for-final-order', 1);
    await changeBooks(shop.database, sql);
    const { acts } = await runOn(subject, true);
    expect(acts).toEqual([undo(subject, { reservationId: `${subject}/late` })]);
  });

  test('of an order that was never started publishes it again, as it was placed', async () => {
    const { subject, sql } = seed('order-never-started');
    await changeBooks(shop.database, sql);
    const { found } = await runOn(subject, true);
    expect(found).toEqual([expect.objectContaining({ kind: 'order-never-started', outcome: 'done' })]);
    const outbox = z.object({ topic: z.string(), value: z.string(), published_at: z.null() });
    const { rows } = await shop.database.admin.query(
      `select topic, value, published_at from orders.outbox where key = $1`,
      [subject],
    );
    const [sent] = z.array(outbox).length(1).parse(rows);
    const event = createdOrdersEvent.parse(JSON.parse(sent?.value ?? ''));
    expect(sent?.topic).toBe('created-orders');
    expect(event).toMatchObject({
      type: 'ORDER_CREATED',
      orderId: subject,
      idempotencyKey: `order:${subject}:created`,
    });
  });

  test('of an order whose start was asked for, under an instance that nobody knows, undoes it', async () => {
    const { subject, sql } = seed('order-never-started');
    const key = `order:${subject}:created`;
    await changeBooks(shop.database, [
      ...sql,
      `insert into orchestration.inbox (consumer, idempotency_key) values ('orchestrator', '${key}')`,
    ]);
    expect((await runOn(subject, true)).acts).toEqual([abort(subject)]);
  });

  test('of a decision that was not heard asks the provider and books it', async () => {
    const { subject, sql } = seed('provider-not-heard', 1);
    await changeBooks(shop.database, sql);
    const { rows } = await shop.database.admin.query<{ id: string }>(`select payment_id($1)::text as id`, [
      subject.replace('payment ', ''),
    ]);
    const id = String(rows[0]?.id);
    expect((await runOn(id, true)).found).toEqual([expect.objectContaining({ outcome: 'done' })]);
    const booked = await shop.database.admin.query(`select state from payments.payment where id = $1`, [id]);
    expect(booked.rows).toEqual([{ state: 'APPROVED' }]);
  });

  test('of a process whose order has ended ends the process', async () => {
    const orderId = await someOrder('REJECTED');
    stillRuns = [{ key: runningKey, processId: 'ticket-order', age: 900, orderId }];
    const { found } = await runOn(runningKey, true);
    expect(found).toEqual([expect.objectContaining({ kind: 'process-for-final-order', outcome: 'done' })]);
    expect(asked).toContainEqual({ name: 'abort-order', correlationKey: orderId });
    stillRuns = [];
  });

  test('that fails is named as failed, in the audit trail too, and the others go on', async () => {
    const [bad, good] = [await someOrder('CANCELLED', 20), await someOrder('CANCELLED', 21)];
    await changeBooks(
      shop.database,
      [bad, good].map((id) => `update inventory.reservation set state = 'HELD' where order_id = '${id}'`),
    );
    const start = engine.startProcessAt;
    engine.startProcessAt = async (...call) => {
      if (JSON.stringify(call).includes(bad)) throw new Error('the engine says no');
      return start(...call);
    };
    try {
      expect((await runOn(bad, true)).found).toEqual([
        expect.objectContaining({ outcome: 'failed: the engine says no' }),
      ]);
      expect(await audit(bad)).toEqual([expect.objectContaining({ outcome: 'REPAIR_FAILED' })]);
      expect(await audit(good)).toEqual([expect.objectContaining({ outcome: 'done' })]);
    } finally {
      engine.startProcessAt = start;
    }
  });

  test.each<[Kind, string, string]>([
    ['ticket-codes-off', 'order', '/reconciliation/orders/SUBJECT/ticket-codes'],
    ['stock-off', 'inventory', '/reconciliation/stock/SUBJECT/recount'],
  ])('of %s is asked of its service', async (kind, service, path) => {
    const { subject, sql } = seed(kind);
    await changeBooks(shop.database, sql);
    const { found, acts } = await runOn(subject, true);
    expect(found).toEqual([expect.objectContaining({ kind, outcome: 'done' })]);
    expect(acts).toEqual([{ service, path: path.replace('SUBJECT', subject), body: {} }]);
  });

  test('of tickets without an order releases each reservation that has some', async () => {
    const { subject, kind, sql } = seed('tickets-without-order');
    await changeBooks(shop.database, [
      ...sql,
      ...['/late', '/old'].map(
        (more) => `insert into inventory.reservation (id, order_id, owner, state, total, pay_by, hold_until, updated_at)
          values ('${subject}${more}', '${subject}', '97', '${more === '/late' ? 'CONFIRMED' : 'EXPIRED'}', 0, now(), now(), now() - interval '1 hour')`,
      ),
    ]);
    const { found, acts } = await runOn(subject, true);
    expect(found).toEqual([expect.objectContaining({ kind, outcome: 'done' })]);
    const path = '/reconciliation/reservations/release';
    expect(acts).toHaveLength(2);
    for (const reservationId of [subject, `${subject}/late`])
      expect(acts).toContainEqual({ service: 'inventory', path, body: { reservationId } });
  });

  test.each<[Kind, string]>([
    ['books-differ', '/reconciliation/payments/SUBJECT/settle'],
    ['unknown-to-provider', '/reconciliation/payments/SUBJECT/settle'],
    ['unknown-to-shop', '/reconciliation/provider-payments/SUBJECT/return'],
  ])('of %s is asked of payment-service only by a run that names it', async (kind, path) => {
    const { subject, sql } = seed(kind);
    await changeBooks(shop.database, sql);
    const { rows } = await shop.database.admin.query<{ id: string }>(`select payment_id($1)::text as id`, [
      subject.replace('payment ', ''),
    ]);
    const id = String(rows[0]?.id);
    expect(await runOn(id, true)).toEqual({ found: [expect.objectContaining({ kind, outcome: null })], acts: [] });
    const { found, acts } = await runOn(id, true, [kind]);
    expect(found).toEqual([expect.objectContaining({ kind, outcome: 'done' })]);
    expect(acts).toEqual([{ service: 'payment', path: path.replace('SUBJECT', id), body: {} }]);
  });

  test('of money without an order names the payment, and is made only by a run that names the kind', async () => {
    const { subject, kind, sql } = seed('money-without-order');
    await changeBooks(shop.database, sql);
    expect((await runOn(subject, true)).found).toEqual([expect.objectContaining({ kind, outcome: null })]);
    const { found } = await runOn(subject, true, ['money-without-order']);
    expect(found).toEqual([expect.objectContaining({ kind, outcome: 'done' })]);
    const { id } = z.object({ id: z.string() }).parse(found[0]?.details['payment']);
    expect(asked).toContainEqual({ service: 'payment', path: `/reconciliation/payments/${id}/return`, body: {} });
  });

  test.each<Kind>(['confirmed-without-tickets', 'quantities-differ', 'confirmed-not-paid'])(
    'of %s is a refund as an operator asks for it, once, and only by a run that names it',
    async (kind) => {
      const { subject, sql } = seed(kind);
      await changeBooks(shop.database, sql);
      expect(await runOn(subject, true)).toEqual({
        found: [expect.objectContaining({ kind, outcome: null })],
        acts: [],
      });
      const refunds = () => db.$queryRaw`
        select r.reason, r.operator, r.order_id::text as of, o.state
        from refund r join refund_order o on o.refund_id = r.id where o.order_id = ${subject}::uuid`;
      expect(await refunds()).toEqual([]);
      // The second time the order waits for its turn.
      for (const _ of ['first', 'second'])
        expect((await runOn(subject, true, [kind])).found).toEqual([
          expect.objectContaining({ kind, outcome: 'done' }),
        ]);
      expect(await refunds()).toEqual([{ reason: 'a test', operator: 'somebody', of: subject, state: 'WAITING' }]);
      expect(await audit(subject)).toEqual(
        ['refund-order', 'repair', 'repair'].map((action) => expect.objectContaining({ action, outcome: 'done' })),
      );
    },
  );

  test('of a refund whose process is gone starts it behind its first step, for the tickets that were sold', async () => {
    const { subject, kind, sql } = seed('refund-without-process');
    await changeBooks(shop.database, sql);
    const { found, acts } = await runOn(subject, true);
    expect(found).toEqual([expect.objectContaining({ kind, outcome: 'done' })]);
    expect(acts).toEqual([
      {
        processId: 'refund-order',
        elementId: 'RefundPayment',
        orderId: subject,
        reservationId: subject,
        reasonCode: 'REFUNDED_BY_OPERATOR',
        reasonMessage: null,
      },
    ]);
    expect(await runOn(subject, true)).toEqual({ found: [], acts: [] }); // the new one lives
  });

  test('of a process without an order cancels it', async () => {
    stillRuns = [{ key: '1666', processId: 'late-payment', age: 900, orderId: orderIdOf(999_999_990) }];
    const { found, acts } = await runOn('1666', true);
    expect(found).toEqual([expect.objectContaining({ kind: 'process-without-order', outcome: 'done' })]);
    expect(acts).toEqual([{ cancelled: '1666' }]);
    stillRuns = [];
  });

  test('of events that wait has the service send them: it by HTTP, or the orchestrator itself', async () => {
    const { subject, kind, sql } = seed('outbox-unsent');
    await changeBooks(shop.database, [...sql, ...sql.map((one) => one.replace('payments.', 'orchestration.'))]);
    const of = await runOn(subject, true);
    expect(of.found).toEqual([expect.objectContaining({ kind, outcome: 'done' })]);
    expect(asked).toContainEqual({ service: 'payment', path: '/reconciliation/outbox/publish', body: {} });
    expect(asked).toContainEqual({ published: 'orchestrator' });
  });

  test('is made of the named kinds alone', async () => {
    const [held, other] = [await someOrder('CANCELLED', 25), await someOrder('CANCELLED', 26)];
    await changeBooks(shop.database, [
      `update inventory.reservation set state = 'HELD' where order_id = '${held}'`,
      `update inventory.reservation set state = 'CONFIRMED' where order_id = '${other}'`,
    ]);
    expect((await runOn(held, true, ['sold-for-ended-order'])).found).toMatchObject([{ outcome: null }]);
    expect((await runOn(other, false, ['sold-for-ended-order'])).found).toEqual([]); // the run before has begun it
  });

  test('is not made where it has come right meanwhile', async () => {
    const id = await someOrder('CANCELLED', 22);
    const become = (state: string) =>
      changeBooks(shop.database, [`update inventory.reservation set state = '${state}' where order_id = '${id}'`]);
    await become('HELD');
    const parts = partsOf();
    const run = await beginRun(parts.db, { operator: 'somebody', reason: 'a test', repair: true });
    if (!run) throw new Error('Another one runs.');
    asked.length = 0;
    let looks = 0;
    const services: ReconcileParts['services'] = {
      ...parts.services,
      get: async (service, path, answer) => {
        // The first is the second look, the second is just before the repair: between them the sweeper has come by.
        if (path.startsWith('/reconciliation/reservations?ids=') && path.includes(id) && (looks += 1) === 2)
          await become('EXPIRED');
        return parts.services.get(service, path, answer);
      },
    };
    await reconcile({ ...parts, services }, run, new AbortController().signal);
    const found = await readMismatches(parts.db, run.id, 0n, 1_000);
    expect(found.find(({ subject }) => subject === id)).toMatchObject({ outcome: 'not-needed' });
    expect(JSON.stringify(asked)).not.toContain(id);
    expect(await audit(id)).toEqual([]);
  });
});

describe('Runs', () => {
  const wanted = { operator: 'somebody', reason: 'a test', repair: false };

  test('there is one at a time, and none too soon after another when it is asked for by the schedule', async () => {
    const begun = await Promise.all(Array.from({ length: 5 }, () => beginRun(db, wanted)));
    expect(begun.filter((run) => run !== undefined)).toHaveLength(1);
    const [first] = begun.filter((run) => run !== undefined);
    if (!first) throw new Error('none');
    await reconcile(
      { ...partsOf(), times: { settle: 0, overdue: 300 } },
      first,
      AbortSignal.abort(new Error('The service was stopped.')),
    );
    expect(await findRun(db, first.id)).toMatchObject({ state: 'BROKEN_OFF', notes: ['The service was stopped.'] });
    expect(await beginRun(db, wanted, 60_000)).toBeUndefined();
  });

  test('one whose process has died is shown as broken off, gives way, and cannot come back', async () => {
    const dead = await beginRun(db, wanted);
    if (!dead) throw new Error('Another one runs.');
    await shop.database.admin.query(
      `update orchestration.reconciliation set alive_at = now() - interval '2 minutes' where state = 'RUNNING'`,
    );
    expect((await readRuns(db, undefined, 1))[0]).toMatchObject({ id: dead.id, state: 'BROKEN_OFF' });
    const next = await beginRun(db, wanted);
    expect(next).toMatchObject({ state: 'RUNNING' });
    expect(await noteProgress(db, dead)).toBe(false);
    expect(await findRun(db, dead.id)).toMatchObject({ state: 'BROKEN_OFF' });
    await shop.database.admin.query(`update orchestration.reconciliation set state = 'DONE' where state = 'RUNNING'`);
  });

  test('one that cannot read a service fails and says which', async () => {
    const parts = { ...partsOf(), services: createServices({ ...shop.settings, OPERATOR_PASSWORD: 'wrong' }) };
    const run = await beginRun(parts.db, wanted);
    if (!run) throw new Error('Another one runs.');
    await reconcile(parts, run, new AbortController().signal);
    expect(await findRun(parts.db, run.id)).toMatchObject({
      state: 'FAILED',
      notes: [expect.stringMatching(/-service GET .*401/)],
    });
  });

  test('one outlives a service that is away for a moment', async () => {
    const parts = partsOf();
    const run = await beginRun(parts.db, wanted);
    if (!run) throw new Error('Another one runs.');
    let failures = 2;
    const services: ReconcileParts['services'] = {
      ...parts.services,
      get: (service, path, answer) =>
        service === 'payment' && (failures -= 1) >= 0
          ? Promise.reject(new PassingFault('SERVICE_UNAVAILABLE', 'It restarts.'))
          : parts.services.get(service, path, answer),
    };
    await reconcile({ ...parts, services }, run, new AbortController().signal);
    expect(await findRun(parts.db, run.id)).toMatchObject({ state: 'DONE', notes: [] });
  });

  test('without Operate they say what they could not look at', async () => {
    const parts = partsOf();
    const away = () => Promise.reject(new Error('Operate is away'));
    const run = await beginRun(parts.db, wanted);
    if (!run) throw new Error('Another one runs.');
    const running = { orderOf: away, all: () => ({ [Symbol.asyncIterator]: () => ({ next: away }) }) };
    await reconcile({ ...parts, running }, run, new AbortController().signal);
    expect(await findRun(parts.db, run.id)).toMatchObject({
      state: 'DONE',
      notes: [expect.stringContaining('Operate')],
    });
  });
});
