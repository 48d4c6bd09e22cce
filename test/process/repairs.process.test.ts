import { randomUUID } from 'node:crypto';
import { describe, expect, test } from '@jest/globals';
import { everyPlace, orderAt } from './places.ts';
import { processTest } from './process-test.ts';

const saga = processTest();

describe('Whether a process is in the engine', () => {
  test.each(everyPlace)('is known of one that stands at %s, which does not move by it', async (place) => {
    const order = await orderAt(saga, place);
    expect(await saga.engine.isAlive(order.instance)).toBe(true);
    await order.abort();
    await order.standsAt('StopOrder');
  });

  test('is known of one with an incident', async () => {
    const order = await saga.placeOrder();
    await order.fail('ReserveTickets');
    expect(await saga.engine.isAlive(order.instance)).toBe(true);
  });

  test('is known of one that has ended, and of one that never was', async () => {
    const order = await saga.placeOrder();
    await order.throwError('ReserveTickets', 'DUPLICATE_PROCESS');
    await order.end();
    expect(await saga.engine.isAlive(order.instance)).toBe(false);
    expect(await saga.engine.isAlive('2251799813999999')).toBe(false);
    for (const noKey of ['no key', '97', '1000000000000000']) expect(await saga.engine.isAlive(noKey)).toBe(false);
  });
});

describe('An order whose process is gone', () => {
  const lost = { reasonCode: 'ABORTED_BY_OPERATOR', reasonMessage: 'The order could not be carried on.' };

  test('is undone by a new process that begins at the abort', async () => {
    const order = await saga.placeOrderAt('StopOrder', randomUUID(), lost);
    for (const step of ['StopOrder', 'AbortCancelPayment', 'AbortReleaseTickets']) await order.complete(step);
    expect((await order.job('AbortCloseOrder')).variables).toEqual({ orderId: order.orderId, ...lost });
    await order.complete('AbortCloseOrder');
    expect((await order.end()).slice(-2)).toEqual(['OrderAborted', 'Abort']);
  });

  test('is left alone when it has ended meanwhile', async () => {
    const order = await saga.placeOrderAt('StopOrder', randomUUID(), lost);
    await order.throwError('StopOrder', 'ORDER_ALREADY_FINAL');
    expect((await order.end()).slice(-2)).toEqual(['AlreadyFinal', 'Abort']);
  });

  test('and that has ended is undone once more without being stopped', async () => {
    const order = await saga.placeOrderAt('AbortCancelPayment', randomUUID(), lost);
    for (const step of ['AbortCancelPayment', 'AbortReleaseTickets', 'AbortCloseOrder']) await order.complete(step);
    expect(await order.end()).not.toContain('StopOrder');
  });
});
