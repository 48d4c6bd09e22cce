import { describe, expect, test } from '@jest/globals';
import type { Order } from './order.ts';
import { everyPlace, orderAt, type Place, undo } from './places.ts';
import { processTest } from './process-test.ts';

const saga = processTest();

/** Retried otherwise: see below. */
const handler = 'ReleaseTickets';
const steps = everyPlace.filter((place) => place !== 'WaitForPayment' && place !== handler);
const abortSteps = ['StopOrder', 'AbortCancelPayment', 'AbortReleaseTickets', 'AbortCloseOrder'];

async function stuckAt(order: Order, elementId: string) {
  const { elementInstanceKey } = await order.job(elementId);
  await order.fail(elementId);
  return { processInstanceKey: order.instance, elementInstanceKey, elementId };
}

/** What a retried step that is done leads to; the end where it is the last. */
const next: Partial<Record<Place, string>> = {
  ReserveTickets: 'RequestPayment',
  RequestPayment: 'WaitForPayment',
  ClosePayment: 'ConfirmTickets',
  ConfirmTickets: 'CompleteOrder',
  CancelPayment: 'ReleaseTickets',
};

describe('A step that an operator retries', () => {
  test.each(steps)('is begun anew at %s, once, and the order goes on behind it', async (place) => {
    const order = await orderAt(saga, place);
    const stuck = await stuckAt(order, place);
    const twice = await Promise.allSettled([saga.engine.restartElement(stuck), saga.engine.restartElement(stuck)]);
    expect(twice.map(({ status }) => status).toSorted()).toEqual(['fulfilled', 'rejected']);
    expect(twice.find(({ status }) => status === 'rejected')).toMatchObject({ reason: { code: 3 } });
    await order.complete(place, place === 'ClosePayment' ? { paymentOutcome: 'APPROVED' } : undefined);
    const behind = next[place];
    await (behind ? order.standsAt(behind) : order.end());
  });

  test.each(abortSteps)('is begun anew at %s of the abort', async (place) => {
    const order = await orderAt(saga, 'ConfirmTickets');
    await order.abort();
    for (const step of abortSteps) {
      if (step === place) await saga.engine.restartElement(await stuckAt(order, step));
      await order.complete(step);
    }
    expect(await order.end()).toEqual(expect.arrayContaining([...abortSteps, 'OrderAborted']));
  });

  test('keeps the undo of what was done before it', async () => {
    const order = await orderAt(saga, 'ConfirmTickets');
    await saga.engine.restartElement(await stuckAt(order, 'ConfirmTickets'));
    await order.throwError('ConfirmTickets', 'RESERVATION_EXPIRED');
    await undo(order);
    expect(await order.end()).toContain('ReleaseTickets');
  });

  test('is refused when the order has ended', async () => {
    const order = await orderAt(saga, 'CompleteOrder');
    const { elementInstanceKey } = await order.job('CompleteOrder');
    await order.complete('CompleteOrder');
    await order.end();
    const place = { processInstanceKey: order.instance, elementInstanceKey, elementId: 'CompleteOrder' };
    await expect(saga.engine.restartElement(place)).rejects.toMatchObject({ code: 5 });
  });
});

// Begun anew, a compensation handler is done without the throw event hearing of it: the order would hang silently.
test('A stuck undo goes on in the same job when its incident is resolved, once', async () => {
  const order = await orderAt(saga, handler);
  await order.fail(handler);
  const incident = await order.incident();
  await saga.engine.resolveIncident(incident, 5);
  await expect(saga.engine.resolveIncident(incident, 5)).rejects.toMatchObject({ code: 5 });
  await order.complete(handler);
  await order.complete('CloseOrder');
  expect(await order.end()).toContain('UndoReservation');
});
