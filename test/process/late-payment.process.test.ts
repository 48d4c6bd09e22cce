import { describe, expect, test } from '@jest/globals';
import type { Order } from './order.ts';
import { processTest } from './process-test.ts';

const late = processTest('late-payment');

type Facts = { orderEnded: boolean; orderStatus: string; cancelRequested: boolean; endedAgo: string };
const items = [{ productId: '1', quantity: 2, unitPrice: 19_900 }];
const notPaidInTime: Facts = {
  orderEnded: true,
  orderStatus: 'PAYMENT_NOT_COMPLETED',
  cancelRequested: false,
  endedAgo: 'PT59M59S',
};

/** Late money whose order was checked, with these facts. */
async function checked(facts: Partial<Facts> = {}): Promise<Order> {
  const order = await late.start({ reinstateWithin: 'PT3600S' });
  await order.complete('CheckLatePayment', { ...notPaidInTime, ...facts, items });
  return order;
}

const begun = ['LateMoneyArrived', 'CheckLatePayment'];
const refunded = ['RefundLatePayment', 'NoteRefund', 'LatePaymentRefunded'];
const undone = ['ReserveLateTicketsUndo', 'ReleaseLateTickets', 'UndoLateReservation'];

async function refund(order: Order): Promise<string[]> {
  await order.complete('RefundLatePayment');
  await order.complete('NoteRefund');
  return order.end();
}

describe('When late money comes for an order that was not paid in time', () => {
  test('its tickets are taken again, the money is accepted, and the order is reinstated, in this order', async () => {
    const order = await checked();
    const { variables } = await order.job('ReserveLateTickets');
    expect(variables).toMatchObject({ reservationId: `${order.orderId}/late`, items, pricesStand: true });
    expect(variables).not.toHaveProperty('startBy');
    await order.complete('ReserveLateTickets');
    expect((await order.job('ConfirmLateTickets')).variables).toMatchObject({ reservationId: `${order.orderId}/late` });
    await order.complete('ConfirmLateTickets');
    await order.complete('AcceptPayment');
    await order.complete('ReinstateOrder');
    const steps = ['ReserveLateTickets', 'ConfirmLateTickets', 'AcceptPayment', 'ReinstateOrder', 'OrderReinstated'];
    expect(await order.end()).toEqual([...begun, ...steps]);
  });

  test('and the tickets are gone, it goes back', async () => {
    const order = await checked();
    await order.throwError('ReserveLateTickets', 'SOLD_OUT');
    expect(await refund(order)).toEqual([...begun, 'LateTicketsNotAvailable', ...refunded]);
  });

  test('and the hold ended before the tickets were sold, nothing stays held and the money goes back', async () => {
    const order = await checked();
    await order.complete('ReserveLateTickets');
    await order.throwError('ConfirmLateTickets', 'RESERVATION_EXPIRED');
    expect((await order.job('ReleaseLateTickets')).variables).toMatchObject({
      reservationId: `${order.orderId}/late`,
    });
    await order.complete('ReleaseLateTickets');
    expect(await refund(order)).toEqual([...begun, 'ReserveLateTickets', 'LateTicketsGone', ...undone, ...refunded]);
  });

  test('and another instance was faster to give it back, the tickets are let go', async () => {
    const order = await checked();
    await order.complete('ReserveLateTickets');
    await order.complete('ConfirmLateTickets');
    await order.throwError('AcceptPayment', 'PAYMENT_NOT_LATE');
    await order.complete('ReleaseLateTickets');
    const end = await refund(order);
    expect(end.slice(end.indexOf('MoneyNotThere'))).toEqual(['MoneyNotThere', ...undone, ...refunded]);
  });

  test('and the order must stay as it is, tickets and money go back', async () => {
    const order = await checked();
    for (const step of ['ReserveLateTickets', 'ConfirmLateTickets', 'AcceptPayment']) await order.complete(step);
    await order.throwError('ReinstateOrder', 'ORDER_NOT_REINSTATABLE');
    await order.complete('ReleaseLateTickets');
    const end = await refund(order);
    expect(end.slice(end.indexOf('OrderNotReinstated'))).toEqual(['OrderNotReinstated', ...undone, ...refunded]);
  });
});

describe('The policy', () => {
  test.each<[string, Partial<Facts>]>([
    ['ended an hour ago', { endedAgo: 'PT3600S' }],
    ['was cancelled by its customer', { orderStatus: 'CANCELLED', cancelRequested: true }],
    ['was aborted by an operator', { orderStatus: 'CANCELLED' }],
    ['was not paid in time, and its customer had asked to cancel', { cancelRequested: true }],
    ['was rejected', { orderStatus: 'REJECTED' }],
    ['is confirmed', { orderStatus: 'CONFIRMED' }],
    ['was refunded', { orderStatus: 'REFUNDED' }],
    ['nobody knows', { orderStatus: 'UNKNOWN', endedAgo: 'PT0S' }],
  ])('gives the money back for an order that %s', async (_, facts) => {
    expect(await refund(await checked(facts))).toEqual([...begun, ...refunded]);
  });
});

describe('While the order’s own undo still runs', () => {
  test('late money waits, and looks again after ten seconds', async () => {
    const order = await checked({ orderEnded: false, orderStatus: 'COMPENSATING', endedAgo: 'PT0S' });
    await order.standsAt('WaitForTheEnd');
    await late.clock.pass(10_000);
    await order.complete('CheckLatePayment', { ...notPaidInTime, orderStatus: 'CANCELLED', items });
    expect(await refund(order)).toEqual([...begun, 'WaitForTheEnd', 'CheckLatePayment', ...refunded]);
  });
});

describe('When a second instance runs for the same late money', () => {
  test('it ends as a duplicate where the first holds the tickets', async () => {
    const order = await checked();
    await order.throwError('ReserveLateTickets', 'DUPLICATE_PROCESS');
    expect(await order.end()).toEqual([...begun, 'LateTicketsInProcess', 'DuplicateLatePayment']);
  });

  test('it gives nothing back that the first has accepted', async () => {
    const order = await checked({ orderStatus: 'CONFIRMED' });
    await order.throwError('RefundLatePayment', 'DUPLICATE_PROCESS');
    expect(await order.end()).toEqual([...begun, 'MoneyOfAnother', 'DuplicateRefund']);
  });
});

test('a refund that the provider refuses for good is an incident, and the order does not show it as made', async () => {
  const order = await checked({ orderStatus: 'CANCELLED' });
  await order.fail('RefundLatePayment');
  await order.standsAt('RefundLatePayment');
  expect(await order.passed()).not.toContain('NoteRefund');
});
