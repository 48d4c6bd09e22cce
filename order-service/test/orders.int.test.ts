import { afterAll, beforeAll, beforeEach, describe, expect, it } from '@jest/globals';
import { BusinessError } from '@ticket-saga/runtime/errors';
import request from 'supertest';
import { closeOrder, completeOrder, rejectOrder, stopOrder } from '../orders.ts';
import { jobContext, ownService, type OwnService, tellStep } from './support.ts';

let service: OwnService;
let id: string;

beforeAll(async () => {
  service = await ownService();
});
afterAll(() => service.stop());
beforeEach(async () => {
  const placed = await request(service.app)
    .post('/orders')
    .send({
      items: [
        { id: '1', quantity: 3 },
        { id: 'two', quantity: 2 },
      ],
    });
  id = placed.body.id;
});

const read = async () => (await request(service.app).get(`/orders/${id}`)).body;
const cancel = () => request(service.app).post(`/orders/${id}/cancel`);
const complete = () => completeOrder(service.db, { orderId: id }, jobContext(id, 'completeOrder'));
const stop = () => stopOrder(service.db, { orderId: id }, jobContext(id, 'stopOrder'));
const close = (reasonCode: 'CANCELLED_BY_CUSTOMER' | 'ABORTED_BY_OPERATOR' | 'PAYMENT_TIMEOUT') =>
  closeOrder(service.db, { orderId: id, reasonCode, reasonMessage: null }, jobContext(id, 'closeOrder'));
const reject = () =>
  rejectOrder(
    service.db,
    { orderId: id, reasonCode: 'SOLD_OUT', reasonMessage: 'No seats.' },
    jobContext(id, 'rejectOrder'),
  );
const states = (order: { history: { state: string }[] }) => order.history.map(({ state }) => state);
const stepState = (order: { steps: { id: string; state: string }[] }, step: string) =>
  order.steps.find((one) => one.id === step)?.state;
const errorOf = (work: Promise<void>) =>
  work.then(
    () => undefined,
    (error: unknown) => error,
  );

describe('completing an order', () => {
  it('gives one ticket code for each unit', async () => {
    await complete();
    const order = await read();
    expect(order).toMatchObject({
      status: 'CONFIRMED',
      stage: 'Completed',
      finished: true,
      currentStep: null,
      reason: null,
    });
    expect(order.completedAt).not.toBeNull();
    expect(order.tickets.map(({ productId }: { productId: string }) => productId)).toEqual([
      '1',
      '1',
      '1',
      'two',
      'two',
    ]);
    const codes = order.tickets.map(({ code }: { code: string }) => code);
    expect(new Set(codes).size).toBe(5);
    for (const code of codes) expect(code).toMatch(/^[0-9A-HJKMNP-TV-Z]{4}(-[0-9A-HJKMNP-TV-Z]{4}){2}$/);
    expect(states(order)).toEqual(['ORDER_CREATED', 'ORDER_CONFIRMED']);
    expect(stepState(order, 'CompleteOrder')).toBe('COMPLETED');
  });

  it('twice changes nothing the second time', async () => {
    await complete();
    const once = await read();
    await complete();
    expect(await read()).toEqual(once);
  });

  it('by two workers at once happens once', async () => {
    await Promise.all([complete(), complete(), complete()]);
    const order = await read();
    expect(order.tickets).toHaveLength(5);
    expect(states(order)).toEqual(['ORDER_CREATED', 'ORDER_CONFIRMED']);
  });

  it('is refused once the order was stopped', async () => {
    await stop();
    const error = await errorOf(complete());
    expect(error).toBeInstanceOf(BusinessError);
    expect(error).toMatchObject({
      code: 'ORDER_STOPPED',
      variables: { reasonCode: 'ABORTED_BY_OPERATOR', reasonMessage: 'An operator stopped the order.' },
    });
    const order = await read();
    expect(order).toMatchObject({ status: 'COMPENSATING', tickets: [] });
    expect(stepState(order, 'CompleteOrder')).toBe('FAILED');
  });

  it('is refused with a cancel request on record', async () => {
    await cancel();
    expect(await errorOf(complete())).toMatchObject({
      code: 'ORDER_STOPPED',
      variables: { reasonCode: 'CANCELLED_BY_CUSTOMER' },
    });
    expect((await read()).status).toBe('PENDING');
  });

  it('is refused once the order ended otherwise, with the reason of that end', async () => {
    await close('PAYMENT_TIMEOUT');
    expect(await errorOf(complete())).toMatchObject({
      code: 'ORDER_STOPPED',
      variables: { reasonCode: 'PAYMENT_TIMEOUT' },
    });
    expect((await read()).status).toBe('PAYMENT_NOT_COMPLETED');
  });

  it('races a cancel: one of them wins, never both', async () => {
    const [completed, cancelled] = await Promise.all([errorOf(complete()), cancel()]);
    const order = await read();
    if (completed === undefined) {
      expect(cancelled.status).toBe(409);
      expect(order.status).toBe('CONFIRMED');
    } else {
      expect(cancelled.status).toBe(202);
      expect(order).toMatchObject({ status: 'PENDING', tickets: [] });
    }
  });

  it('of an order that is not there is a bug', async () => {
    const nobody = '01890000-0000-7000-8000-000000000000';
    const work = completeOrder(service.db, { orderId: nobody }, jobContext(nobody, 'completeOrder'));
    await expect(work).rejects.toThrow('There is no order');
  });

  it('is one statement', async () => {
    const { $queryRaw } = service.db;
    let statements = 0;
    const counting = Object.create(service.db, {
      $queryRaw: {
        value: (...call: Parameters<typeof $queryRaw>) => ((statements += 1), $queryRaw.apply(service.db, call)),
      },
    }) as typeof service.db;
    await completeOrder(counting, { orderId: id }, jobContext(id, 'completeOrder'));
    expect(statements).toBe(1);
  });
});

describe('rejecting an order', () => {
  it('shows the reason in one sentence', async () => {
    await reject();
    const order = await read();
    expect(order).toMatchObject({
      status: 'REJECTED',
      reason: { code: 'SOLD_OUT', message: 'No seats.' },
      stage: 'Failed',
    });
    expect(states(order)).toEqual(['ORDER_CREATED', 'ORDER_REJECTED']);
  });

  it('twice changes nothing the second time', async () => {
    await reject();
    const once = await read();
    await reject();
    expect(await read()).toEqual(once);
  });

  it('leaves an order alone that ended or is being stopped', async () => {
    await stop();
    await reject();
    expect((await read()).status).toBe('COMPENSATING');
    await close('ABORTED_BY_OPERATOR');
    await reject();
    expect(await read()).toMatchObject({ status: 'CANCELLED', reason: { code: 'ABORTED_BY_OPERATOR' } });
  });

  it('tells a customer who wanted to cancel that it came too late', async () => {
    await cancel();
    await reject();
    expect(states(await read())).toEqual(['ORDER_CREATED', 'CANCEL_REQUESTED', 'ORDER_REJECTED', 'CANCEL_TOO_LATE']);
  });
});

describe('closing an order', () => {
  it.each([
    ['CANCELLED_BY_CUSTOMER', 'CANCELLED'],
    ['ABORTED_BY_OPERATOR', 'CANCELLED'],
    ['PAYMENT_TIMEOUT', 'PAYMENT_NOT_COMPLETED'],
  ] as const)('for %s ends it as %s', async (reason, status) => {
    await close(reason);
    const order = await read();
    expect(order).toMatchObject({ status, reason: { code: reason }, stage: 'Failed', finished: true });
    expect(states(order)).toEqual(['ORDER_CREATED', 'ORDER_CLOSED']);
  });

  it('twice changes nothing the second time', async () => {
    await close('PAYMENT_TIMEOUT');
    const once = await read();
    await close('CANCELLED_BY_CUSTOMER');
    expect(await read()).toEqual(once);
  });

  it('leaves a confirmed order confirmed', async () => {
    await complete();
    const once = await read();
    await close('PAYMENT_TIMEOUT');
    const after = await read();
    expect(after).toMatchObject({ status: 'CONFIRMED', reason: null, history: once.history, tickets: once.tickets });
  });

  it('notes a cancel that came too late only where the order did not end as cancelled', async () => {
    await cancel();
    await close('CANCELLED_BY_CUSTOMER');
    expect(states(await read())).toEqual(['ORDER_CREATED', 'CANCEL_REQUESTED', 'ORDER_CLOSED']);
  });
});

describe('stopping an order', () => {
  it('twice is the same as once', async () => {
    await stop();
    const once = await read();
    expect(once).toMatchObject({ status: 'COMPENSATING', finished: false, stage: 'Post-Processing' });
    await stop();
    expect(await read()).toEqual(once);
  });

  it('is refused once the order ended, and undoes nothing', async () => {
    await complete();
    expect(await errorOf(stop())).toMatchObject({ code: 'ORDER_ALREADY_FINAL' });
    expect(await read()).toMatchObject({ status: 'CONFIRMED' });
  });
});

describe('asking to cancel', () => {
  it('is recorded and told to the process once, however often it is asked', async () => {
    const answers = [await cancel(), await cancel(), ...(await Promise.all([cancel(), cancel()]))];
    expect(answers.map((answer) => answer.status)).toEqual([202, 202, 202, 202]);
    expect(answers[0]?.body).toMatchObject({ id, status: 'PENDING' });
    expect(states(await read())).toEqual(['ORDER_CREATED', 'CANCEL_REQUESTED']);
    const { rows } = await service.database.admin.query('select value from orders.outbox where key = $1 order by id', [
      id,
    ]);
    expect(rows.map((row) => JSON.parse(row.value).type)).toEqual(['ORDER_CREATED', 'ORDER_CANCEL_REQUESTED']);
  });

  it('is taken while the order waits for the payment', async () => {
    await tellStep(service.db, id, 'RequestPayment', { history: ['PAYMENT_CREATED'] });
    expect((await cancel()).status).toBe(202);
  });

  it('is refused once the order is paid', async () => {
    await tellStep(service.db, id, 'RequestPayment', {
      payment: { state: 'APPROVED' },
      history: ['PAYMENT_COMPLETED'],
    });
    const answer = await cancel();
    expect(answer.status).toBe(409);
    expect(answer.body.code).toBe('ORDER_NOT_CANCELLABLE');
  });

  it('is refused once the undo runs for another reason', async () => {
    await stop();
    expect((await cancel()).status).toBe(409);
  });

  it('is refused once the order ended', async () => {
    await complete();
    expect((await cancel()).status).toBe(409);
  });

  it('is answered as asked while and after it is done', async () => {
    await cancel();
    await tellStep(service.db, id, 'CancelPayment', { undo: ['RequestPayment'] });
    expect((await read()).status).toBe('COMPENSATING');
    expect((await cancel()).status).toBe(202);
    await close('CANCELLED_BY_CUSTOMER');
    expect((await cancel()).status).toBe(202);
  });

  it.each(['01890000-0000-7000-8000-000000000000', 'abc', '%00'])(
    'of an order that is not there is 404: %s',
    async (other) => {
      const answer = await request(service.app).post(`/orders/${other}/cancel`);
      expect(answer.status).toBe(404);
      expect(answer.body.code).toBe('ORDER_NOT_FOUND');
    },
  );
});
