import { randomUUID } from 'node:crypto';
import { describe, expect, test } from '@jest/globals';
import { bpmnErrors } from '@ticket-saga/contract/errors';
import { because, orderAt, undo, undoSteps } from './places.ts';
import { processTest } from './process-test.ts';

const saga = processTest();

const cancelledAtOnce = ['OrderPlaced', 'ReserveTickets', 'CancelledDuringRequest', ...undoSteps, 'OrderCancelled'];

describe('When the customer cancels', () => {
  test('while the payment is being requested, the request is withdrawn and everything undone', async () => {
    const order = await orderAt(saga, 'RequestPayment');
    const request = await order.job('RequestPayment');
    await order.cancel();
    expect(await undo(order)).toEqual(because(order, 'CANCELLED_BY_CUSTOMER'));
    expect(await order.end()).toEqual(cancelledAtOnce);
    await expect(saga.engine.completeJob(request.key, {})).rejects.toMatchObject({ code: 5 });
  });

  test('before the tickets are reserved, no payment is requested', async () => {
    const order = await orderAt(saga, 'ReserveTickets');
    await order.cancel();
    await order.complete('ReserveTickets');
    expect(await undo(order)).toEqual(because(order, 'CANCELLED_BY_CUSTOMER'));
    expect(await order.end()).toEqual(cancelledAtOnce);
  });

  test('before the process was started, the cancel waits for it', async () => {
    const orderId = randomUUID();
    await saga.send(orderId, 'cancel-order');
    const order = await saga.placeOrder({ orderId });
    await order.complete('ReserveTickets');
    expect(await undo(order)).toEqual(because(order, 'CANCELLED_BY_CUSTOMER'));
  });

  test('while the payment request is stuck, the incident goes with it', async () => {
    const order = await orderAt(saga, 'RequestPayment');
    await order.fail('RequestPayment');
    await order.cancel();
    expect(await undo(order)).toEqual(because(order, 'CANCELLED_BY_CUSTOMER'));
    expect(await order.end()).toEqual(cancelledAtOnce);
  });

  test('while the payment is awaited, the order is undone', async () => {
    const order = await orderAt(saga, 'WaitForPayment');
    await order.cancel();
    expect(await undo(order)).toEqual(because(order, 'CANCELLED_BY_CUSTOMER'));
    const waited = ['OrderPlaced', 'ReserveTickets', 'RequestPayment', 'CustomerCancelled'];
    expect(await order.end()).toEqual([...waited, ...undoSteps, 'OrderCancelled']);
  });

  test('while the payment is being confirmed, it is too late for the diagram', async () => {
    const order = await orderAt(saga, 'ConfirmTickets');
    await order.cancel();
    await order.complete('ConfirmTickets');
    await order.complete('CompleteOrder');
    expect(await order.end()).toContain('OrderCompleted');
  });

  test('and the engine could not see it in time, Complete order refuses and the order is undone', async () => {
    const order = await orderAt(saga, 'CompleteOrder');
    await order.throwError('CompleteOrder', 'ORDER_STOPPED', 'CANCELLED_BY_CUSTOMER');
    expect(await undo(order)).toEqual(because(order, 'CANCELLED_BY_CUSTOMER', bpmnErrors.ORDER_STOPPED));
    const end = await order.end();
    expect(end.slice(-undoSteps.length - 2)).toEqual(['OrderWasStopped', ...undoSteps, 'OrderCancelled']);
  });
});

describe('When cancel and approval are both there', () => {
  test('before the payment request ran, the cancel wins', async () => {
    const order = await orderAt(saga, 'ReserveTickets');
    await order.callback('APPROVED');
    await order.cancel();
    await order.complete('ReserveTickets');
    expect(await undo(order)).toEqual(because(order, 'CANCELLED_BY_CUSTOMER'));
    expect(await order.end()).toEqual(cancelledAtOnce);
  });

  test.each(['cancel first', 'approval first'])('before the wait begins (%s), the cancel wins', async (which) => {
    const orderId = randomUUID();
    const approve = () => saga.send(orderId, 'payment-callback', { paymentOutcome: 'APPROVED' });
    const cancel = () => saga.send(orderId, 'cancel-order');
    for (const publish of which === 'cancel first' ? [cancel, approve] : [approve, cancel]) await publish();
    const order = await saga.placeOrderAt('WaitForPayment', orderId);
    await order.complete('CancelPayment');
    expect((await order.job('CloseOrder')).variables).toEqual(because(order, 'CANCELLED_BY_CUSTOMER'));
  });
});
