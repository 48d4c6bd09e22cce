import { afterAll, beforeAll, beforeEach, describe, expect, it } from '@jest/globals';
import type { FactNoted, StepMoved } from '@ticket-saga/contract/topics';
import { isOwnFault, isUnstorable } from '@ticket-saga/runtime/errors';
import { createLogger } from '@ticket-saga/runtime/logger';
import { deadLetterOf } from '@ticket-saga/runtime/dead-letters';
import request from 'supertest';
import { noteProduct } from '../catalog.ts';
import { completeOrder } from '../orders.ts';
import { noteStep } from '../steps.ts';
import { noteDeadLetter } from '../trouble.ts';
import { jobContext, ownService, type OwnService, tellStep } from './support.ts';

let service: OwnService;
let id: string;
const logger = createLogger('test', 'error');

beforeAll(async () => {
  service = await ownService();
});
afterAll(() => service.stop());
beforeEach(async () => {
  id = await service.place();
});

const read = async () => (await request(service.app).get(`/orders/${id}`)).body;
const at = (seconds: number) => new Date(Date.now() + seconds * 1000).toISOString();
const fact = (key: string, more: Partial<FactNoted>): Promise<void> =>
  noteStep(service.db, { type: 'FACT', orderId: id, idempotencyKey: key, occurredAt: at(0), history: [], ...more });

describe('what the steps tell', () => {
  it('becomes the timeline, the history, the payment and the status', async () => {
    const { db } = service;
    await tellStep(db, id, 'OrderPlaced', { stage: 'Scheduling', occurredAt: at(1) });
    const payBy = at(900);
    await tellStep(db, id, 'ReserveTickets', { state: 'RUNNING', stage: 'Pre-Processing', occurredAt: at(2) });
    await tellStep(db, id, 'ReserveTickets', {
      history: ['RESERVE_CREATED'],
      payBy,
      stage: 'Pre-Processing',
      occurredAt: at(3),
    });
    expect(await read()).toMatchObject({
      status: 'PENDING',
      stage: 'Processing',
      currentStep: 'RequestPayment',
      payBy,
    });
    await tellStep(db, id, 'RequestPayment', {
      history: ['PAYMENT_CREATED'],
      payment: { state: 'REQUESTED' },
      occurredAt: at(4),
    });
    expect(await read()).toMatchObject({
      status: 'AWAITING_PAYMENT',
      stage: 'Processing',
      currentStep: 'WaitForPayment',
      payment: { state: 'REQUESTED' },
    });
    await fact('webhook:1', { history: ['PAYMENT_COMPLETED'], payment: { state: 'APPROVED' }, occurredAt: at(5) });
    const order = await read();
    expect(order).toMatchObject({
      status: 'AWAITING_PAYMENT',
      stage: 'Post-Processing',
      currentStep: 'ConfirmTickets',
      payment: { state: 'APPROVED' },
    });
    expect(order.history.map(({ state }: { state: string }) => state)).toEqual([
      'ORDER_CREATED',
      'RESERVE_CREATED',
      'PAYMENT_CREATED',
      'PAYMENT_COMPLETED',
    ]);
  });

  it('told again changes nothing', async () => {
    const occurredAt = at(4);
    const tell = () =>
      tellStep(service.db, id, 'RequestPayment', {
        history: ['PAYMENT_CREATED'],
        payment: { state: 'REQUESTED' },
        occurredAt,
      });
    await tell();
    const once = await read();
    await tell();
    await Promise.all([tell(), tell()]);
    expect(await read()).toEqual(once);
  });

  it('each moves the version and the time of the last change', async () => {
    const before = await read();
    await tellStep(service.db, id, 'ReserveTickets', { state: 'RUNNING' });
    const after = await read();
    expect(after.version).toBe(before.version + 1);
    expect(Date.parse(after.updatedAt)).toBeGreaterThanOrEqual(Date.parse(before.updatedAt));
  });

  it('keeps the newest state of the payment, whatever order it is heard in', async () => {
    await fact('late', { payment: { state: 'VOIDED' }, occurredAt: at(20) });
    await fact('early', { payment: { state: 'REQUESTED' }, occurredAt: at(10) });
    expect((await read()).payment).toEqual({ state: 'VOIDED' });
  });

  it('never moves the status back', async () => {
    await tellStep(service.db, id, 'CancelPayment', { undo: ['RequestPayment'] });
    await tellStep(service.db, id, 'RequestPayment', { history: ['PAYMENT_CREATED'] });
    expect((await read()).status).toBe('COMPENSATING');
  });

  it('after the end goes into the history and changes nothing else', async () => {
    await completeOrder(service.db, { orderId: id }, jobContext(id, 'completeOrder'));
    await tellStep(service.db, id, 'CancelPayment', { undo: ['RequestPayment'] });
    await fact('refund', { history: ['PAYMENT_REFUNDED'], payment: { state: 'REFUNDED' } });
    const order = await read();
    expect(order).toMatchObject({ status: 'CONFIRMED', payment: { state: 'REFUNDED' }, reason: null });
    expect(order.history.at(-1).state).toBe('PAYMENT_REFUNDED');
  });

  it('loses nothing when two services hear it side by side', async () => {
    const elements = Array.from({ length: 12 }, (_, n) => `Step${n}`);
    await Promise.all(elements.map((element) => tellStep(service.db, id, element, { occurredAt: at(1) })));
    const order = await read();
    expect(order.version).toBe(13);
    expect(order.steps).toHaveLength(13);
  });

  it('of an order that is not there is a dead letter', async () => {
    const other = tellStep(service.db, '01890000-0000-7000-8000-000000000000', 'ReserveTickets');
    await expect(other).rejects.toMatchObject({ code: 'UNKNOWN_ORDER' });
  });

  it('of an order that is not there is nothing when a repair tells it', async () => {
    const fact = {
      idempotencyKey: 'payment:gone:FACT',
      type: 'FACT',
      orderId: '01890000-0000-7000-8000-000000000000',
      occurredAt: new Date().toISOString(),
      history: ['PAYMENT_REFUNDED'],
    } as const;
    await expect(noteStep(service.db, { ...fact, history: [...fact.history], repair: true })).resolves.toBeUndefined();
    const ordinary = noteStep(service.db, { ...fact, history: [...fact.history] });
    await expect(ordinary).rejects.toMatchObject({ code: 'UNKNOWN_ORDER' });
  });
});

describe('what can never be stored', () => {
  it.each<[string, Partial<StepMoved>]>([
    ['a number too large', { attempt: 2 ** 40 }],
    ['a null byte', { error: { code: 'X', message: 'a\u0000b' } }],
    ['a year before the first', { occurredAt: '0000-01-01T00:00:00.000Z' }],
  ])('is told from a database that is away: %s', async (_what, more) => {
    const error = await tellStep(service.db, id, 'ReserveTickets', more).catch((refused: unknown) => refused);
    expect([isUnstorable(error), isOwnFault(error)]).toEqual([true, false]);
  });
});

describe('a dead letter', () => {
  const letter = (topic: string, value: object = { orderId: id, type: 'ORDER_CREATED' }) =>
    deadLetterOf(
      'orchestrator',
      { topic, key: id, value: Buffer.from(JSON.stringify(value)), partition: 0, offset: id },
      {
        code: 'REFUSED_BY_ENGINE',
        message: 'The engine refuses to start the order.',
      },
    );

  it('of created-orders shows its order as stuck', async () => {
    await noteDeadLetter(service.db, letter('created-orders'), logger);
    await noteDeadLetter(service.db, letter('created-orders'), logger);
    const order = await read();
    expect(order).toMatchObject({ currentStep: 'OrderPlaced', stage: 'Scheduling', version: 2 });
    expect(order.steps).toMatchObject([{ id: 'OrderPlaced', state: 'STUCK', error: { code: 'REFUSED_BY_ENGINE' } }]);
  });

  it('of a cancel does not', async () => {
    await noteDeadLetter(service.db, letter('created-orders', { orderId: id, type: 'ORDER_CANCEL_REQUESTED' }), logger);
    expect((await read()).version).toBe(1);
  });

  it('of a webhook shows at the wait for the payment', async () => {
    await tellStep(service.db, id, 'RequestPayment', { occurredAt: at(-1) });
    await noteDeadLetter(service.db, letter('webhook'), logger);
    expect((await read()).steps.at(-1)).toMatchObject({
      id: 'WaitForPayment',
      state: 'WAITING',
      error: { code: 'REFUSED_BY_ENGINE' },
    });
  });

  it.each([
    ['of a finished order', 'created-orders'],
    ['of another topic', 'order-steps'],
  ])('%s changes nothing', async (_what, topic) => {
    if (topic === 'created-orders') await completeOrder(service.db, { orderId: id }, jobContext(id, 'completeOrder'));
    const before = await read();
    await noteDeadLetter(service.db, letter(topic), logger);
    expect(await read()).toEqual(before);
  });

  it('that is none, or of no order, is passed over', async () => {
    await noteDeadLetter(service.db, { nonsense: true }, logger);
    await noteDeadLetter(service.db, letter('created-orders', {}), logger);
  });
});

it('the newer version of a product wins, in whatever order they come', async () => {
  const tell = (version: number, price: number) =>
    noteProduct(service.db, {
      idempotencyKey: `catalog:p:${version}`,
      type: 'PRODUCT_CHANGED',
      occurredAt: at(0),
      productId: 'p',
      name: `version ${version}`,
      price,
      version,
    });
  await tell(2, 20_00);
  await tell(1, 10_00);
  const placed = await request(service.app).post('/orders').send({ productId: 'p', quantity: 1 });
  expect(placed.body.items).toEqual([{ id: 'p', name: 'version 2', quantity: 1, unitPrice: 20 }]);
});
