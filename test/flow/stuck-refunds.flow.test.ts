/** A refund that the provider refuses for good, by an operator and of late money: listed as stuck, and retried. */
import { afterAll, expect, test } from '@jest/globals';
import { openOperations, operationsSettings } from '../../tools/operations.ts';
import type { OrderView } from '../../tools/shop.ts';
import { eventually } from '../support/eventually.ts';
import { incidentsOf } from '../support/incidents.ts';
import { shop } from '../support/system.ts';

afterAll(() => shop.close());

const operations = openOperations(operationsSettings());
const patience = { withinMs: 90_000, everyMs: 200 };

const buy = (productId: string, token: string) =>
  shop.place({ items: [{ id: productId, quantity: 1 }], payment: { token } });
const until = (what: string, id: string, is: (order: OrderView) => boolean) =>
  eventually(
    what,
    async () => {
      const order = await shop.order(id);
      return is(order) ? order : undefined;
    },
    patience,
  );
const stuckAt = (orderId: string, step: string) =>
  eventually('it is listed', async () => (await operations.stuck({ orderId, step })).items[0], patience);
const incident = (state: string, processInstanceKey: string | null) =>
  eventually(
    `its incident is ${state} in Operate`,
    async () => {
      const states = await incidentsOf(processInstanceKey);
      return states.length > 0 && states.every((one) => one === state);
    },
    patience,
  );

/** An order whose late money must go back, because another has its ticket; where the late money was quicker, one more. */
async function lateWithoutTickets(): Promise<string> {
  for (;;) {
    const product = await shop.addProduct(1);
    const { id } = await buy(product.id, 'tok_late_refund_flaky:5');
    await until('the order has ended', id, ({ finished }) => finished);
    const other = await buy(product.id, 'tok_approve');
    const { status } = await until('the other order has ended', other.id, ({ finished }) => finished);
    if (status === 'CONFIRMED') return id;
  }
}

test('an operator’s refund is listed with its diagram and version, and goes on when its step is retried', async () => {
  const product = await shop.addProduct(1);
  const { id } = await buy(product.id, 'tok_refund_flaky:5');
  await until('it is confirmed', id, ({ status }) => status === 'CONFIRMED');
  const refund = await operations.refund({ orderId: id, reason: 'goodwill' });
  const stuck = await stuckAt(id, 'RefundPayment');
  expect(stuck).toMatchObject({
    kind: 'STUCK',
    processId: 'refund-order',
    processInstanceKey: expect.stringMatching(/^\d+$/),
    processVersion: expect.any(Number),
    step: { name: 'Refund payment' },
    tries: 5,
    error: { code: expect.any(String), message: expect.any(String) },
  });
  expect((await fetch(stuck.links.operate ?? '')).status).toBe(200);
  await incident('ACTIVE', stuck.processInstanceKey);
  const failed = async () => (await operations.refundProgress(refund.id)).failed === 1;
  await eventually('the refund shows it as failed', failed, patience);

  await operations.retryStep(id, 'RefundPayment', { reason: 'the provider is back' });
  expect(await until('it is refunded', id, ({ status }) => status === 'REFUNDED')).toMatchObject({
    payment: { state: 'REFUNDED' },
  });
  await incident('RESOLVED', stuck.processInstanceKey);
  const done = async () => (await operations.refundProgress(refund.id)).state === 'DONE';
  await eventually('the refund is done', done, patience);
  expect((await operations.stuck({ orderId: id })).items).toEqual([]);
  await expect(operations.retryStep(id, 'RefundPayment', { reason: 'too late' })).rejects.toMatchObject({
    status: 409,
    code: 'STALE_ACTION',
  });
}, 240_000);

test('late money that cannot go back is listed though its order has ended, and is retried with all of its error', async () => {
  const id = await lateWithoutTickets();
  const stuck = await stuckAt(id, 'RefundLatePayment');
  expect(stuck).toMatchObject({
    processId: 'late-payment',
    status: 'PAYMENT_NOT_COMPLETED',
    processVersion: expect.any(Number),
  });
  await incident('ACTIVE', stuck.processInstanceKey);
  const { code = '' } = stuck.error ?? {};
  const retried = await operations.retryAll({ reason: 'the provider is back', code, step: 'RefundLatePayment' });
  expect(retried.retried).toBeGreaterThanOrEqual(1);
  await until('the money is back', id, ({ payment }) => payment?.state === 'REFUNDED');
  await incident('RESOLVED', stuck.processInstanceKey);
  expect((await operations.stuck({ orderId: id })).items).toEqual([]);
}, 240_000);
