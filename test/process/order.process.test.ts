import { describe, expect, test } from '@jest/globals';
import { bpmnErrors } from '@ticket-saga/contract/errors';
import { because, orderAt } from './places.ts';
import { processTest } from './process-test.ts';

const saga = processTest();

describe('When tickets are there and the payment is approved', () => {
  test('the order is reserved, paid, confirmed and completed, in this order', async () => {
    const order = await saga.placeOrder();
    await order.complete('ReserveTickets');
    await order.complete('RequestPayment');
    await order.standsAt('WaitForPayment');
    await order.callback('APPROVED');
    await order.complete('ConfirmTickets');
    await order.complete('CompleteOrder');
    expect(await order.end()).toEqual([
      'OrderPlaced',
      'ReserveTickets',
      'RequestPayment',
      'PaymentAnswered',
      'ConfirmTickets',
      'CompleteOrder',
      'OrderCompleted',
    ]);
  });

  test('each worker finds what the contract promises it', async () => {
    const order = await saga.placeOrder({ paymentToken: 'tok_approve' });
    const reserve = await order.job('ReserveTickets');
    expect(reserve.variables).toMatchObject({ orderId: order.orderId, paymentDeadline: 'PT15M' });
    const payBy = new Date((await saga.clock.now()) + 60_000).toISOString();
    await order.complete('ReserveTickets', { payBy, total: 4_200 });
    const request = await order.job('RequestPayment');
    expect(request.variables).toEqual({ orderId: order.orderId, total: 4_200, payBy, paymentToken: 'tok_approve' });
  });
});

describe('When the tickets cannot be reserved', () => {
  test.each(['SOLD_OUT', 'PRICE_CHANGED', 'UNKNOWN_PRODUCT', 'ORDER_EXPIRED'] as const)(
    '%s rejects the order with its code and sentence, and nothing is undone',
    async (code) => {
      const order = await saga.placeOrder();
      await order.throwError('ReserveTickets', code);
      const { variables } = await order.job('RejectOrder');
      expect(variables).toEqual(because(order, code, bpmnErrors[code]));
      await order.complete('RejectOrder');
      expect(await order.end()).toEqual(['OrderPlaced', 'TicketsNotAvailable', 'RejectOrder', 'OrderRejected']);
    },
  );
});

describe('When a second process runs for the same order', () => {
  test('it ends as a duplicate without another step, and the first one goes on to its end', async () => {
    const first = await orderAt(saga, 'WaitForPayment');
    const second = await saga.placeOrder({ orderId: first.orderId });
    await second.throwError('ReserveTickets', 'DUPLICATE_PROCESS');
    expect(await second.end()).toEqual(['OrderPlaced', 'AlreadyInProcess', 'Duplicate']);
    await first.callback('APPROVED');
    await first.complete('ConfirmTickets');
    await first.complete('CompleteOrder');
    expect(await first.end()).toContain('OrderCompleted');
  });
});
