import { randomUUID } from 'node:crypto';
import { describe, expect, test } from '@jest/globals';
import { because, everyPlace, orderAt } from './places.ts';
import { processTest } from './process-test.ts';

const saga = processTest();

const abortSteps = [
  'StopOrder',
  'AbortCancelPayment',
  'AbortReleaseTickets',
  'AbortCloseOrder',
  'OrderAborted',
  'Abort',
];

describe('When an operator aborts an order', () => {
  test.each(everyPlace)('that stands at %s, it is stopped, undone and closed', async (place) => {
    const order = await orderAt(saga, place);
    await order.abort();
    await order.complete('StopOrder');
    await order.complete('AbortCancelPayment');
    await order.complete('AbortReleaseTickets');
    expect((await order.job('AbortCloseOrder')).variables).toEqual(because(order, 'ABORTED_BY_OPERATOR'));
    await order.complete('AbortCloseOrder');
    const end = await order.end();
    expect(end.slice(end.indexOf('AbortRequested') + 1)).toEqual(abortSteps);
    expect(end).not.toContain(place);
  });

  test('whose job is in a worker’s hands, the worker’s answer comes too late', async () => {
    const order = await orderAt(saga, 'ConfirmTickets');
    const confirm = await order.job('ConfirmTickets');
    await order.abort();
    await order.standsAt('StopOrder');
    await expect(saga.engine.completeJob(confirm.key, {})).rejects.toMatchObject({ code: 5 });
  });

  test('whose process has not started yet, nothing is reserved', async () => {
    const orderId = randomUUID();
    await saga.send(orderId, 'abort-order');
    const order = await saga.placeOrder({ orderId });
    for (const step of ['StopOrder', 'AbortCancelPayment', 'AbortReleaseTickets', 'AbortCloseOrder'])
      await order.complete(step);
    expect(await order.end()).not.toContain('ReserveTickets');
  });

  test('that is final already, nothing is undone', async () => {
    const order = await orderAt(saga, 'CompleteOrder');
    await order.abort();
    await order.throwError('StopOrder', 'ORDER_ALREADY_FINAL');
    const end = await order.end();
    expect(end.slice(end.indexOf('AbortRequested'))).toEqual([
      'AbortRequested',
      'AlreadyEnded',
      'AlreadyFinal',
      'Abort',
    ]);
  });
});
