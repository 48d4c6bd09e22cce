import { describe, expect, test } from '@jest/globals';
import { bpmnErrors } from '@ticket-saga/contract/errors';
import { timeToPayMs } from './order.ts';
import { because, orderAt, undo, undoSteps } from './places.ts';
import { processTest } from './process-test.ts';

const saga = processTest();

const requested = ['OrderPlaced', 'ReserveTickets', 'RequestPayment'];

describe('When the payment is answered', () => {
  test('a decline cancels the payment, then frees the tickets once, then closes the order', async () => {
    const order = await orderAt(saga, 'WaitForPayment');
    await order.callback('DECLINED', 'PAYMENT_DECLINED');
    expect(await undo(order)).toEqual(because(order, 'PAYMENT_DECLINED'));
    expect(await order.end()).toEqual([...requested, 'PaymentAnswered', ...undoSteps, 'PaymentNotCompleted']);
  });

  test('a decline that names no reason is a declined payment', async () => {
    const order = await orderAt(saga, 'WaitForPayment');
    await order.callback('DECLINED');
    expect(await undo(order)).toEqual(because(order, 'PAYMENT_DECLINED'));
  });

  test('an answer that is there before the request is through waits for the order', async () => {
    const order = await orderAt(saga, 'RequestPayment');
    await order.callback('APPROVED');
    await order.complete('RequestPayment');
    await order.complete('ConfirmTickets');
    await order.complete('CompleteOrder');
    expect(await order.end()).toContain('OrderCompleted');
  });

  test('only the first answer counts', async () => {
    const order = await orderAt(saga, 'WaitForPayment');
    await order.callback('DECLINED');
    await order.callback('APPROVED');
    expect(await undo(order)).toEqual(because(order, 'PAYMENT_DECLINED'));
    expect(await order.end()).toContain('PaymentNotCompleted');
  });
});

describe('When the time to pay is over', () => {
  const deadline = [...requested, 'PaymentDeadline', 'ClosePayment'];

  test('a payment that the provider could void ends as PAYMENT_TIMEOUT', async () => {
    const order = await orderAt(saga, 'ClosePayment');
    await order.complete('ClosePayment', { paymentOutcome: 'VOIDED' });
    expect(await undo(order)).toEqual(because(order, 'PAYMENT_TIMEOUT'));
    expect(await order.end()).toEqual([...deadline, ...undoSteps, 'PaymentNotCompleted']);
  });

  test('a payment that turns out to be declined ends as PAYMENT_DECLINED', async () => {
    const order = await orderAt(saga, 'ClosePayment');
    await order.complete('ClosePayment', { paymentOutcome: 'DECLINED' });
    expect(await undo(order)).toEqual(because(order, 'PAYMENT_DECLINED'));
    expect(await order.end()).toEqual([...deadline, ...undoSteps, 'PaymentNotCompleted']);
  });

  test('a payment that was approved after all completes the order', async () => {
    const order = await orderAt(saga, 'ClosePayment');
    await order.complete('ClosePayment', { paymentOutcome: 'APPROVED' });
    await order.complete('ConfirmTickets');
    await order.complete('CompleteOrder');
    expect(await order.end()).toEqual([...deadline, 'ConfirmTickets', 'CompleteOrder', 'OrderCompleted']);
  });

  test('an answer that comes while the payment is being closed changes nothing', async () => {
    const order = await orderAt(saga, 'ClosePayment');
    await order.callback('APPROVED');
    await order.complete('ClosePayment', { paymentOutcome: 'VOIDED' });
    expect(await undo(order)).toEqual(because(order, 'PAYMENT_TIMEOUT'));
  });
});

describe('When the payment request never gets through', () => {
  const unavailable = ['OrderPlaced', 'ReserveTickets', 'RequestDeadline', 'ClosePayment'];

  test.each([
    { paymentOutcome: 'VOIDED', reason: 'PAYMENT_UNAVAILABLE' },
    { paymentOutcome: 'DECLINED', reason: 'PAYMENT_DECLINED' },
  ] as const)(
    'the incident ends with the time to pay, and $paymentOutcome gives $reason',
    async ({ paymentOutcome, reason }) => {
      const order = await orderAt(saga, 'RequestPayment');
      await order.fail('RequestPayment');
      await saga.clock.pass(timeToPayMs);
      await order.complete('ClosePayment', { paymentOutcome });
      expect(await undo(order)).toEqual(because(order, reason));
      expect(await order.end()).toEqual([...unavailable, ...undoSteps, 'PaymentNotCompleted']);
    },
  );

  test('money that came all the same completes the order', async () => {
    const order = await orderAt(saga, 'RequestPayment');
    await order.fail('RequestPayment');
    await saga.clock.pass(timeToPayMs);
    await order.complete('ClosePayment', { paymentOutcome: 'APPROVED' });
    await order.complete('ConfirmTickets');
    await order.complete('CompleteOrder');
    expect(await order.end()).toContain('OrderCompleted');
  });
});

describe('When a paid order cannot be finished', () => {
  const paid = [...requested, 'PaymentAnswered'];

  test('tickets that are gone when the money comes undo the order with the sentence of the worker', async () => {
    const order = await orderAt(saga, 'ConfirmTickets');
    await order.throwError('ConfirmTickets', 'RESERVATION_EXPIRED');
    expect(await undo(order)).toEqual(because(order, 'RESERVATION_EXPIRED', bpmnErrors.RESERVATION_EXPIRED));
    expect(await order.end()).toEqual([...paid, 'TicketsGone', ...undoSteps, 'PaymentNotCompleted']);
  });

  test('the reason of the deadline gives way to that of the tickets', async () => {
    const order = await orderAt(saga, 'ClosePayment');
    await order.complete('ClosePayment', { paymentOutcome: 'APPROVED' });
    await order.throwError('ConfirmTickets', 'RESERVATION_EXPIRED');
    expect(await undo(order)).toMatchObject({ reasonCode: 'RESERVATION_EXPIRED' });
  });

  test('an undo step that fails for good is an incident, and the order is not closed before it is done', async () => {
    const order = await orderAt(saga, 'ReleaseTickets');
    await order.fail('ReleaseTickets');
    await order.standsAt('ReleaseTickets');
    await order.abort();
    await order.throwError('StopOrder', 'ORDER_ALREADY_FINAL');
    expect(await order.end()).not.toContain('CloseOrder');
  });
});
