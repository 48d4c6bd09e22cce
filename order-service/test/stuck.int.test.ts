import { randomUUID } from 'node:crypto';
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { stuckPage } from '@ticket-saga/contract/operations';
import request from 'supertest';
import { closeOrder } from '../orders.ts';
import { noteDeadLetter } from '../trouble.ts';
import { createLogger } from '@ticket-saga/runtime/logger';
import { jobContext, ownService, type OwnService, techlead, tellStep } from './support.ts';

let service: OwnService;

beforeAll(async () => {
  service = await ownService();
});
afterAll(() => service.stop());

async function stuck(query: Record<string, string | number>) {
  const { body } = await request(service.app).get('/stuck-orders').query(query).set('Authorization', techlead);
  return stuckPage.parse(body);
}
const at = (second: number) => new Date(Date.UTC(2026, 0, 1, 12, 0, second)).toISOString();
const error = { code: 'PROVIDER_DOWN', message: 'The provider answers 503.' };
const hang = (orderId: string, second: number, more = {}) =>
  tellStep(service.db, orderId, 'RequestPayment', {
    state: 'STUCK',
    attempt: 5,
    elementInstanceKey: `e${second}`,
    idempotencyKey: `stuck:${second}`,
    occurredAt: at(second),
    error,
    ...more,
  });

describe('A stuck step', () => {
  it('is listed with what an operator needs to retry it', async () => {
    const orderId = await service.place();
    await hang(orderId, 1);
    expect((await stuck({ orderId })).items).toEqual([
      {
        orderId,
        status: 'PENDING',
        kind: 'STUCK',
        processId: 'ticket-order',
        step: { id: 'RequestPayment', name: 'Request payment', stage: 'Processing' },
        since: at(1),
        tries: 5,
        error,
        processInstanceKey: '77',
        elementInstanceKey: 'e1',
      },
    ]);
  });

  it('is not listed any more once it is heard of again, and then as its newest run', async () => {
    const orderId = await service.place();
    await hang(orderId, 1);
    await tellStep(service.db, orderId, 'RequestPayment', { state: 'WAITING', occurredAt: at(2), idempotencyKey: 'w' });
    expect((await stuck({ orderId })).items).toEqual([]);
    await hang(orderId, 3);
    expect((await stuck({ orderId })).items).toMatchObject([{ since: at(3), elementInstanceKey: 'e3' }]);
  });

  it('stays listed while only another instance of the order is heard of', async () => {
    const orderId = await service.place();
    await hang(orderId, 1);
    const duplicate = { processInstanceKey: '78', occurredAt: at(2) };
    await tellStep(service.db, orderId, 'ReserveTickets', { ...duplicate, state: 'FAILED' });
    expect((await stuck({ orderId })).items).toHaveLength(1);
  });

  it('is overtaken by the end of its order, and not by an end that came before', async () => {
    const orderId = await service.place();
    await hang(orderId, 1);
    await closeOrder(service.db, { orderId, reasonCode: 'PAYMENT_DECLINED' }, jobContext(orderId, 'closeOrder'));
    expect((await stuck({ orderId })).items).toEqual([]);
    const late = { processInstanceKey: '99', occurredAt: new Date(Date.now() + 1_000).toISOString() };
    await hang(orderId, 2, late);
    expect((await stuck({ orderId })).items).toMatchObject([{ processInstanceKey: '99' }]);
  });

  it.each([
    ['late-payment', 'CheckLatePayment'],
    ['late-payment', 'ReserveLateTickets'],
    ['late-payment', 'ReleaseLateTickets'],
    ['late-payment', 'RefundLatePayment'],
    ['late-payment', 'NoteRefund'],
  ])(
    'of %s, %s, is not overtaken by the end of its order: late money has an end of its own',
    async (processId, step) => {
      const orderId = await service.place();
      await tellStep(service.db, orderId, step, { state: 'STUCK', processInstanceKey: '88', occurredAt: at(1), error });
      await closeOrder(service.db, { orderId, reasonCode: 'PAYMENT_DECLINED' }, jobContext(orderId, 'closeOrder'));
      expect((await stuck({ orderId })).items).toMatchObject([
        { processId, step: { id: step }, processInstanceKey: '88' },
      ]);
      await tellStep(service.db, orderId, step, { processInstanceKey: '88', occurredAt: at(2) });
      expect((await stuck({ orderId })).items).toEqual([]);
    },
  );

  it('of a refund is listed with its process, until it goes on', async () => {
    const orderId = await service.place();
    const refund = { processId: 'refund-order', step: { id: 'RefundPayment', name: 'Refund payment' } };
    await tellStep(service.db, orderId, 'RefundPayment', {
      state: 'STUCK',
      processInstanceKey: '89',
      occurredAt: at(1),
    });
    expect((await stuck({ orderId })).items).toMatchObject([{ ...refund, processInstanceKey: '89' }]);
    await tellStep(service.db, orderId, 'RefundPayment', { processInstanceKey: '89', occurredAt: at(2) });
    expect((await stuck({ orderId })).items).toEqual([]);
  });

  it('can be chosen by step, by error and by age, and the oldest comes first, page by page', async () => {
    const code = `E-${randomUUID().slice(0, 8)}`;
    const ids = await Promise.all([service.place(), service.place(), service.place()]);
    const [first, second, third] = ids;
    await hang(second, 12, { error: { ...error, code } });
    await hang(first, 11, { error: { ...error, code } });
    await hang(third, 13, { error: { ...error, code } });
    const page = await stuck({ code, limit: 2 });
    expect(page.items.map(({ orderId }) => orderId)).toEqual([first, second]);
    const rest = await stuck({ code, limit: 2, cursor: page.nextCursor ?? '' });
    expect(rest).toMatchObject({ items: [{ orderId: third }], nextCursor: null });
    expect((await stuck({ code, until: at(11) })).items).toHaveLength(1);
    expect((await stuck({ code, step: 'ConfirmTickets' })).items).toEqual([]);
  });
});

it('An order whose message is a dead letter is stuck before it has a process, until it starts', async () => {
  const orderId = await service.place();
  const letter = {
    idempotencyKey: randomUUID(),
    type: 'DEAD_LETTER',
    occurredAt: new Date().toISOString(),
    orderId,
    reason: { code: 'UNREADABLE_MESSAGE', message: 'no' },
    service: 'orchestrator',
    source: { topic: 'created-orders', key: orderId, value: '{', encoding: 'utf8' },
  };
  await noteDeadLetter(service.db, letter, createLogger('test', 'silent'));
  expect((await stuck({ orderId })).items).toMatchObject([
    { step: { id: 'OrderPlaced' }, processInstanceKey: null, error: { code: 'UNREADABLE_MESSAGE' } },
  ]);
  await tellStep(service.db, orderId, 'OrderPlaced', { occurredAt: new Date(Date.now() + 1_000).toISOString() });
  expect((await stuck({ orderId })).items).toEqual([]);
});

describe('An order on its way of which nothing is heard', () => {
  it('is listed with the step at which it stands, after the time that was asked for', async () => {
    const orderId = await service.place();
    await tellStep(service.db, orderId, 'ReserveTickets', { stage: 'Pre-Processing' });
    expect((await stuck({ orderId, silentAfter: 'PT1H' })).items).toEqual([]);
    expect((await stuck({ orderId, silentAfter: 'PT0S' })).items).toMatchObject([
      {
        kind: 'SILENT',
        processInstanceKey: '77',
        step: { id: 'RequestPayment' },
        error: null,
        elementInstanceKey: null,
      },
    ]);
  });

  it('is listed with the process that was heard of last', async () => {
    const orderId = await service.place();
    await tellStep(service.db, orderId, 'ReserveTickets', { occurredAt: at(1) });
    await tellStep(service.db, orderId, 'StartRefund', { processInstanceKey: '89', occurredAt: at(2) });
    expect((await stuck({ orderId, silentAfter: 'PT0S' })).items).toMatchObject([
      { kind: 'SILENT', processId: 'refund-order', processInstanceKey: '89', step: { id: 'RefundPayment' } },
    ]);
  });

  it('is left alone while its customer may still pay', async () => {
    const orderId = await service.place();
    await tellStep(service.db, orderId, 'ReserveTickets', { payBy: new Date(Date.now() + 60_000).toISOString() });
    expect((await stuck({ orderId, silentAfter: 'PT0S' })).items).toEqual([]);
  });

  it('is listed once where one of its steps is stuck', async () => {
    const orderId = await service.place();
    await hang(orderId, 1);
    expect((await stuck({ orderId, silentAfter: 'PT0S' })).items).toMatchObject([{ kind: 'STUCK' }]);
  });
});

it('Only operators see what hangs', async () => {
  expect((await request(service.app).get('/stuck-orders')).status).toBe(401);
  expect((await request(service.app).get('/stuck-orders').set('Authorization', 'anna')).status).toBe(403);
  const wrong = { cursor: 'x', limit: 0 };
  const answer = await request(service.app).get('/stuck-orders').query(wrong).set('Authorization', techlead);
  expect(answer.status).toBe(422);
});
