/** Steps of late money and of refunds that got stuck, and that an operator retries: each task of both diagrams. */
import { describe, expect, test } from '@jest/globals';
import type { Order } from './order.ts';
import { processTest } from './process-test.ts';

/** A step with what its worker answers, or the error that it throws. */
type Step = [elementId: string, answer?: object | 'PAYMENT_NOT_LATE'];
type Retry = (order: Order, elementId: string) => Promise<void>;

/** Does the steps one after the other; the one at `stuckAt` is stuck first and retried. */
async function walk(order: Order, steps: Step[], stuckAt: string, retry: Retry): Promise<string[]> {
  for (const [elementId, answer] of steps) {
    if (elementId === stuckAt) await retry(order, elementId);
    if (answer === 'PAYMENT_NOT_LATE') await order.throwError(elementId, answer);
    else await order.complete(elementId, answer);
  }
  return order.end();
}

const ended = { orderEnded: true, orderStatus: 'PAYMENT_NOT_COMPLETED', cancelRequested: false, endedAgo: 'PT1M' };
const check: Step = ['CheckLatePayment', { ...ended, items: [{ productId: '1', quantity: 1, unitPrice: 19_900 }] }];
const again: Step[] = [check, ['ReserveLateTickets'], ['ConfirmLateTickets']];
const reinstated: Step[] = [...again, ['AcceptPayment'], ['ReinstateOrder']];
const givenBack: Step[] = [
  ...again,
  ['AcceptPayment', 'PAYMENT_NOT_LATE'],
  ['ReleaseLateTickets'],
  ['RefundLatePayment'],
  ['NoteRefund'],
];
const refunded: Step[] = [
  ['StartRefund', { reservationId: 'its-own' }],
  ['RefundPayment'],
  ['ReleaseRefundedTickets'],
  ['CloseRefundedOrder'],
];
const names = (steps: Step[]) => steps.map(([elementId]) => elementId);
const undo = 'ReleaseLateTickets';

describe('A stuck step of late money', () => {
  const late = processTest('late-payment');

  /** As the orchestrator does: begun anew, once; an undo goes on in its job. */
  async function retry(order: Order, elementId: string): Promise<void> {
    const { elementInstanceKey } = await order.job(elementId);
    await order.fail(elementId);
    if (elementId === undo) return late.engine.resolveIncident(await order.incident(), 5);
    const place = { processInstanceKey: order.instance, elementInstanceKey, elementId };
    await late.engine.restartElement(place);
    await expect(late.engine.restartElement(place)).rejects.toMatchObject({ code: 3 });
  }

  test.each(names(reinstated))('is retried at %s, and the order is reinstated', async (elementId) => {
    const end = await walk(await late.start(), reinstated, elementId, retry);
    expect(end).toEqual(['LateMoneyArrived', ...names(reinstated), 'OrderReinstated']);
  });

  test.each(names(givenBack))('is retried at %s, and the money goes back, the tickets before it', async (elementId) => {
    const end = await walk(await late.start(), givenBack, elementId, retry);
    expect(end.slice(end.indexOf('MoneyNotThere'))).toEqual([
      'MoneyNotThere',
      'ReserveLateTicketsUndo',
      undo,
      'UndoLateReservation',
      'RefundLatePayment',
      'NoteRefund',
      'LatePaymentRefunded',
    ]);
  });
});

describe('A stuck step of a refund', () => {
  const refund = processTest('refund-order');

  test.each(names(refunded))('is retried at %s, and the refund goes on to its end', async (elementId) => {
    const order = await refund.start();
    const end = await walk(order, refunded, elementId, async () => {
      const { elementInstanceKey, variables } = await order.job(elementId);
      await order.fail(elementId);
      await refund.engine.restartElement({ processInstanceKey: order.instance, elementInstanceKey, elementId });
      // What the steps before it found out is still there.
      expect((await order.job(elementId)).variables).toEqual(variables);
    });
    expect(end).toEqual(['RefundRequested', ...names(refunded), 'OrderRefunded']);
  });
});
