import { randomUUID } from 'node:crypto';
import { expect, test } from '@jest/globals';
import { because } from './places.ts';
import { processTest } from './process-test.ts';

const refund = processTest('refund-order');

test('a confirmed order gets its money back, then frees its tickets, then is closed as refunded', async () => {
  const order = await refund.start();
  const reservationId = `${order.orderId}/sold`;
  await order.complete('StartRefund', { reservationId });
  expect((await order.job('RefundPayment')).variables).toEqual({ orderId: order.orderId, orderRefund: true });
  await order.complete('RefundPayment');
  expect((await order.job('ReleaseRefundedTickets')).variables).toEqual({ orderId: order.orderId, reservationId });
  await order.complete('ReleaseRefundedTickets');
  expect((await order.job('CloseRefundedOrder')).variables).toEqual(because(order, 'REFUNDED_BY_OPERATOR'));
  await order.complete('CloseRefundedOrder');
  const steps = ['StartRefund', 'RefundPayment', 'ReleaseRefundedTickets', 'CloseRefundedOrder'];
  expect(await order.end()).toEqual(['RefundRequested', ...steps, 'OrderRefunded']);
});

test('an order that is not confirmed, or that another instance refunds, is not touched', async () => {
  const order = await refund.start();
  await order.throwError('StartRefund', 'ORDER_NOT_REFUNDABLE');
  expect(await order.end()).toEqual(['RefundRequested', 'OrderNotConfirmed', 'NotRefundable']);
});

test('a refund that fails for good keeps the tickets until somebody has helped', async () => {
  const order = await refund.start();
  await order.complete('StartRefund', { reservationId: order.orderId });
  await order.fail('RefundPayment');
  await order.standsAt('RefundPayment');
  expect(await order.passed()).toEqual(['RefundRequested', 'StartRefund']);
});

test('a refund whose process is gone is carried on by another that begins at the payment', async () => {
  const lost = await refund.start();
  await lost.complete('StartRefund', { reservationId: lost.orderId });
  await refund.engine.cancelProcess(lost.instance);
  expect(await refund.engine.isAlive(lost.instance)).toBe(false);
  await refund.engine.cancelProcess(lost.instance); // again is no error

  const [orderId, reservationId] = [randomUUID(), 'sold'];
  const order = await refund.placeOrderAt('RefundPayment', orderId, { reservationId, ...outcome });
  expect((await order.job('RefundPayment')).variables).toEqual({ orderId, orderRefund: true });
  await order.complete('RefundPayment');
  expect((await order.job('ReleaseRefundedTickets')).variables).toEqual({ orderId, reservationId });
  await order.complete('ReleaseRefundedTickets');
  expect((await order.job('CloseRefundedOrder')).variables).toEqual(because(order, 'REFUNDED_BY_OPERATOR'));
  await order.complete('CloseRefundedOrder');
  expect((await order.end()).at(-1)).toBe('OrderRefunded');
});

/** As the repair gives it. */
const outcome = { reasonCode: 'REFUNDED_BY_OPERATOR', reasonMessage: null };
