import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { openOperations, operationsSettings } from '../../tools/operations.ts';
import { eventually } from '../support/eventually.ts';
import { incidentsOf } from '../support/incidents.ts';
import { part, query, shop } from '../support/system.ts';

const operations = openOperations(operationsSettings());
const patience = { withinMs: 60_000, everyMs: 200 };
/** Stuck after its five tries; a retry by an operator gets through. */
const flaky = { items: [{ id: '1', quantity: 1 }], payment: { token: 'tok_flaky:5' } };
const manual = { items: [{ id: '1', quantity: 1 }], payment: { token: 'tok_manual' } };

let flakyIds: string[];
beforeAll(async () => {
  flakyIds = (await Promise.all(Array.from({ length: 4 }, () => shop.place(flaky)))).map(({ id }) => id);
});
afterAll(() => shop.close());

const ended = (id: string) =>
  eventually(
    `order ${id} has ended`,
    async () => {
      const order = await shop.order(id);
      return order.finished && order;
    },
    patience,
  );
const stuckAt = (orderId: string) =>
  eventually('the step is listed as stuck', async () => (await operations.stuck({ orderId })).items[0], patience);
const outcomes = async (orderId: string) =>
  (await operations.audit({ orderId })).items.map(({ action, outcome }) => `${action} ${outcome}`);
const refusal = (status: number, code: string) => expect.objectContaining({ status, code });

describe('A stuck order', () => {
  it('is retried by one of two operators at once, goes on, and its incident disappears in Operate', async () => {
    const [id = ''] = flakyIds;
    const stuck = await stuckAt(id);
    expect(stuck).toMatchObject({
      kind: 'STUCK',
      step: { id: 'RequestPayment', name: 'Request payment' },
      tries: 5,
      error: { code: expect.any(String), message: expect.any(String) },
      processVersion: expect.any(Number),
    });
    const incidents = () => incidentsOf(stuck.processInstanceKey);
    await eventually('Operate shows the incident', async () => (await incidents()).includes('ACTIVE'), patience);
    expect((await fetch(stuck.links.operate ?? '')).status).toBe(200);

    const reason = 'the provider is back';
    const twice = await Promise.allSettled([
      operations.retryStep(id, 'RequestPayment', { reason }),
      operations.retryStep(id, 'RequestPayment', { reason }),
    ]);
    expect(twice.map(({ status }) => status).toSorted()).toEqual(['fulfilled', 'rejected']);
    expect(twice).toContainEqual({ status: 'rejected', reason: refusal(409, 'STALE_ACTION') });
    expect(await ended(id)).toMatchObject({ status: 'CONFIRMED' });
    expect((await operations.stuck({ orderId: id })).items).toEqual([]);
    expect((await outcomes(id)).toSorted()).toEqual(['retry-step STALE_ACTION', 'retry-step done']);
    await eventually(
      'the incident is resolved in Operate',
      async () => (await incidents()).every((state) => state === 'RESOLVED'),
      patience,
    );
    await expect(operations.retryStep(id, 'RequestPayment', { reason: 'too late' })).rejects.toEqual(
      expect.objectContaining({ code: 'STALE_ACTION', message: expect.stringContaining('The order is CONFIRMED') }),
    );
  }, 180_000);

  it('is retried with all others that have the same error', async () => {
    const [, ...ids] = flakyIds;
    const stuck = await Promise.all(ids.map(stuckAt));
    const code = stuck[0]?.error?.code ?? '';
    const result = await operations.retryAll({ reason: 'the provider is back', code, step: 'RequestPayment' });
    expect(result.retried).toBeGreaterThanOrEqual(ids.length);
    expect(result.more).toBe(false);
    for (const id of ids) expect(await ended(id)).toMatchObject({ status: 'CONFIRMED' });
  }, 120_000);

  it('is retried where it is stuck in an undo that no worker told of', async () => {
    const { id } = await shop.place(manual);
    await eventually('it awaits its payment', async () => (await shop.order(id)).status === 'AWAITING_PAYMENT');
    await part('inventory-service', 'stop');
    try {
      await shop.cancel(id);
      const job = await eventually(
        'the release of the tickets waits for a worker',
        async () => {
          const poll = { worker: 'test', most: 10, leaseMs: 20_000, waitMs: 1_000, variables: ['orderId'] };
          const jobs = await shop.engine.activateJobs({ type: 'release-tickets', ...poll });
          return jobs.find(({ variables }) => (variables as { orderId: string }).orderId === id);
        },
        patience,
      );
      await shop.engine.failJob(job.key, { errorMessage: 'seen by a test', retries: 0, retryBackOff: 0 });
    } finally {
      await part('inventory-service', 'start');
    }
    expect(await stuckAt(id)).toMatchObject({ step: { id: 'ReleaseTickets' }, error: { code: 'INCIDENT' } });
    await operations.retryStep(id, 'ReleaseTickets', { reason: 'the bug is mended' });
    expect(await ended(id)).toMatchObject({ status: 'CANCELLED', reason: { code: 'CANCELLED_BY_CUSTOMER' } });
  }, 180_000);
});

describe('An order that waits', () => {
  it('is stopped by an operator, once, with nothing held and nothing charged', async () => {
    const { id } = await shop.place(manual);
    await eventually('it awaits its payment', async () => (await shop.order(id)).status === 'AWAITING_PAYMENT');
    const twice = await Promise.allSettled([operations.abort(id, 'fraud'), operations.abort(id, 'fraud')]);
    expect(twice.map(({ status }) => status).toSorted()).toEqual(['fulfilled', 'rejected']);
    expect(twice).toContainEqual({ status: 'rejected', reason: refusal(409, 'STALE_ACTION') });
    expect(await ended(id)).toMatchObject({
      status: 'CANCELLED',
      reason: { code: 'ABORTED_BY_OPERATOR' },
      payment: { state: 'VOIDED' },
    });
    await expect(operations.abort(id, 'again')).rejects.toEqual(refusal(409, 'STALE_ACTION'));
    expect((await outcomes(id)).toSorted()).toEqual([
      'abort-order STALE_ACTION',
      'abort-order STALE_ACTION',
      'abort-order done',
    ]);
  }, 90_000);

  it('for a result that got lost is told it again, and one without a result or past its end is not', async () => {
    const { id } = await shop.place(manual);
    const awaited = await eventually('it awaits its payment', async () => {
      const order = await shop.order(id);
      return order.status === 'AWAITING_PAYMENT' && order;
    });
    expect(awaited.finished).toBe(false);
    await expect(operations.republishPayment(id, 'now?')).rejects.toEqual(refusal(409, 'STALE_ACTION'));
    // As if the message's time had been over: the orchestrator believes to have passed the event on.
    await query(
      `insert into orchestration.inbox (consumer, idempotency_key)
       select 'orchestrator', 'payment:' || id || ':' || version + 1 || ':PAYMENT_APPROVED' from payments.payment where order_id = $1`,
      [id],
    );
    await shop.decideAtProvider(id, 'APPROVED');
    await eventually('the payment is approved', async () => (await shop.order(id)).payment?.state === 'APPROVED');
    expect(await operations.republishPayment(id, 'its message expired')).toMatchObject({ type: 'PAYMENT_APPROVED' });
    expect(await ended(id)).toMatchObject({ status: 'CONFIRMED' });
    await expect(operations.republishPayment(id, 'again')).rejects.toEqual(refusal(409, 'STALE_ACTION'));
  }, 90_000);
});

it('An action needs an operator, a reason, and an order that there is', async () => {
  const nobody = '0190a8c0-0000-7000-8000-000000000000';
  const at = (path: string) => `${operationsSettings().url}/operations${path}`;
  const anna = { authorization: 'anna' };
  expect(await shop.call('POST', at(`/orders/${nobody}/abort`), { reason: 'x' })).toMatchObject({ status: 401 });
  expect(await shop.call('POST', at(`/orders/${nobody}/abort`), { reason: 'x' }, anna)).toMatchObject({ status: 403 });
  expect(await shop.call('GET', at('/audit'), undefined, anna)).toMatchObject({ status: 403 });
  await expect(operations.abort(nobody, ' ')).rejects.toEqual(refusal(422, 'INVALID_INPUT'));
  await expect(operations.abort(nobody, 'x')).rejects.toEqual(refusal(404, 'ORDER_NOT_FOUND'));
  expect(await outcomes(nobody)).toEqual(['abort-order ORDER_NOT_FOUND']);
});
