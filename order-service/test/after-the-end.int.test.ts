/** What can still happen to an order that has ended, each step run twice, by two instances, and too late. */
import { afterAll, beforeAll, beforeEach, describe, expect, it } from '@jest/globals';
import { jobs } from '@ticket-saga/contract/jobs';
import request from 'supertest';
import { testContext } from '../../test/support/context.ts';
import { checkLatePayment, noteRefund, reinstateOrder, startRefund } from '../after-the-end.ts';
import { closeOrder, completeOrder, stopOrder } from '../orders.ts';
import { jobContext, ownService, type OwnService } from './support.ts';

let service: OwnService;
let id: string;

beforeAll(async () => {
  service = await ownService();
});
afterAll(() => service.stop());
beforeEach(async () => {
  const placed = await request(service.app)
    .post('/orders')
    .send({ items: [{ id: '1', quantity: 2 }] });
  id = placed.body.id;
});

const read = async () => (await request(service.app).get(`/orders/${id}`)).body;
const states = async () => (await read()).history.map(({ state }: { state: string }) => state);
const by = (instance: string, job: keyof typeof jobs, elementId?: string) =>
  testContext({ orderId: id, job: jobs[job], processInstanceKey: instance, ...(elementId ? { elementId } : {}) });
const complete = () => completeOrder(service.db, { orderId: id }, jobContext(id, 'completeOrder'));
const close = (
  reasonCode: 'CANCELLED_BY_CUSTOMER' | 'PAYMENT_TIMEOUT' | 'REFUNDED_BY_OPERATOR',
  as = 'closeOrder' as const,
) => closeOrder(service.db, { orderId: id, reasonCode }, jobContext(id, as));
const check = () => checkLatePayment(service.db, { orderId: id }, by('late', 'checkLatePayment'));
const reinstate = (instance = 'late') => reinstateOrder(service.db, { orderId: id }, by(instance, 'reinstateOrder'));
const refund = (instance = 'refund') => startRefund(service.db, { orderId: id }, by(instance, 'startRefund'));
const notReinstatable = { code: 'ORDER_NOT_REINSTATABLE' };
const notRefundable = { code: 'ORDER_NOT_REFUNDABLE' };

describe('Checking an order that late money is for', () => {
  it('says that it has not ended while it is on the way', async () => {
    expect(await check()).toMatchObject({ orderEnded: false, orderStatus: 'PENDING', endedAgo: 'PT0S' });
  });

  it('says how it ended, how long ago, and what it was for', async () => {
    await close('PAYMENT_TIMEOUT');
    await service.db.$executeRaw`update purchase set completed_at = now() - interval '125.9 s' where id = ${id}::uuid`;
    expect(await check()).toEqual({
      orderEnded: true,
      orderStatus: 'PAYMENT_NOT_COMPLETED',
      cancelRequested: false,
      endedAgo: 'PT125S',
      items: [{ productId: '1', quantity: 2, unitPrice: 199_00 }],
    });
  });

  it('says that its customer had asked to cancel', async () => {
    await request(service.app).post(`/orders/${id}/cancel`);
    await close('PAYMENT_TIMEOUT');
    expect(await check()).toMatchObject({ orderStatus: 'PAYMENT_NOT_COMPLETED', cancelRequested: true });
  });

  it('knows an order that nobody knows as ended', async () => {
    const orderId = '019a0000-0000-7000-8000-000000000009';
    const context = testContext({ orderId, job: jobs.checkLatePayment });
    const facts = await checkLatePayment(service.db, { orderId }, context);
    expect(facts).toMatchObject({ orderEnded: true, orderStatus: 'UNKNOWN', items: [] });
  });
});

describe('Reinstating an order', () => {
  it('that was not paid in time confirms it with tickets, once, and its reason is gone', async () => {
    await close('PAYMENT_TIMEOUT');
    await reinstate();
    await reinstate();
    const order = await read();
    expect(order).toMatchObject({ status: 'CONFIRMED', stage: 'Completed', reason: null, finished: true });
    expect(order.tickets).toHaveLength(2);
    expect(await states()).toEqual(['ORDER_CREATED', 'ORDER_CLOSED', 'ORDER_REINSTATED']);
  });

  it('is refused for every other order, and to a second instance', async () => {
    await expect(reinstate()).rejects.toMatchObject(notReinstatable);
    await close('CANCELLED_BY_CUSTOMER');
    await expect(reinstate()).rejects.toMatchObject(notReinstatable);
    expect((await read()).status).toBe('CANCELLED');
  });

  it('is refused to a second instance', async () => {
    await close('PAYMENT_TIMEOUT');
    await reinstate('one');
    await expect(reinstate('other')).rejects.toMatchObject(notReinstatable);
  });

  it('is refused where the customer had asked to cancel', async () => {
    await request(service.app).post(`/orders/${id}/cancel`);
    await close('PAYMENT_TIMEOUT');
    await expect(reinstate()).rejects.toMatchObject(notReinstatable);
  });

  it('is refused where an operator had stopped it and the saga ended it as not paid all the same', async () => {
    await stopOrder(service.db, { orderId: id }, jobContext(id, 'stopOrder'));
    await close('PAYMENT_TIMEOUT');
    await expect(reinstate()).rejects.toMatchObject(notReinstatable);
    expect((await read()).status).toBe('PAYMENT_NOT_COMPLETED');
  });

  it('by a worker that wakes up after a refund changes nothing, and is told that it is done', async () => {
    await close('PAYMENT_TIMEOUT');
    await reinstate();
    await refund();
    await reinstate();
    expect((await read()).status).toBe('COMPENSATING');
  });
});

it('noting a refund shows the money as gone back and leaves status and reason', async () => {
  await close('PAYMENT_TIMEOUT');
  const note = () => noteRefund(service.db, { orderId: id }, by('late', 'noteRefund'));
  await note();
  const { version } = await read();
  await note();
  expect(await read()).toMatchObject({
    version,
    status: 'PAYMENT_NOT_COMPLETED',
    reason: { code: 'PAYMENT_TIMEOUT' },
    payment: { state: 'REFUNDED' },
  });
});

it.each([
  ['reinstate', () => reinstate(), 'ORDER_NOT_REINSTATABLE'],
  ['start-refund', () => refund(), 'ORDER_NOT_REFUNDABLE'],
])(
  '%s that is refused is told to the timeline, also where no instance has had its way before',
  async (_, step, code) => {
    await expect(step()).rejects.toMatchObject({ code });
    const told = await service.db.stepEvent.findMany({
      where: { orderId: id },
      select: { state: true, errorCode: true },
    });
    expect(told).toEqual([{ state: 'FAILED', errorCode: code }]);
  },
);

describe('Refunding an order', () => {
  it('takes it back into work and ends it as refunded, without tickets', async () => {
    await complete();
    expect(await refund()).toEqual({ reservationId: id });
    expect(await read()).toMatchObject({ status: 'COMPENSATING', finished: false, completedAt: null, tickets: [] });
    await close('REFUNDED_BY_OPERATOR');
    const order = await read();
    expect(order).toMatchObject({
      status: 'REFUNDED',
      stage: 'Failed',
      reason: { code: 'REFUNDED_BY_OPERATOR', message: 'An operator refunded the order.' },
      tickets: [],
    });
    expect(await states()).toEqual(['ORDER_CREATED', 'ORDER_CONFIRMED', 'ORDER_REFUNDED']);
  });

  it('names the second reservation of an order that late money has paid', async () => {
    await close('PAYMENT_TIMEOUT');
    await reinstate();
    expect(await refund()).toEqual({ reservationId: `${id}/late` });
  });

  it('belongs to the instance that began it', async () => {
    await complete();
    await refund('one');
    await refund('one');
    await expect(refund('other')).rejects.toMatchObject(notRefundable);
  });

  it('is refused for an order that is not confirmed', async () => {
    await expect(refund()).rejects.toMatchObject(notRefundable);
    await close('PAYMENT_TIMEOUT');
    await expect(refund()).rejects.toMatchObject(notRefundable);
  });

  it('is ended by nothing else: not by the saga’s own steps that wake up late, not by an abort', async () => {
    await complete();
    await refund();
    await complete();
    await close('PAYMENT_TIMEOUT');
    const stop = stopOrder(service.db, { orderId: id }, jobContext(id, 'stopOrder'));
    await expect(stop).rejects.toMatchObject({ code: 'ORDER_ALREADY_FINAL' });
    expect((await read()).status).toBe('COMPENSATING');
  });

  it('does not end an order whose refund never began', async () => {
    await close('REFUNDED_BY_OPERATOR');
    expect((await read()).status).toBe('PENDING');
  });
});
