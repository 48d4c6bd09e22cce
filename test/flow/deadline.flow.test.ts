import { afterAll, afterEach, expect, it } from '@jest/globals';
import type { OrderView } from '../../tools/shop.ts';
import { eventually } from '../support/eventually.ts';
import { part, query, shop } from '../support/system.ts';

afterEach(() => part('payment-service', 'start'), 60_000);
afterAll(() => shop.close());

const until = (id: string, what: string, holds: (order: OrderView) => boolean) =>
  eventually(
    `the order ${what}`,
    async () => {
      const order = await shop.order(id);
      return holds(order) && order;
    },
    { withinMs: 60_000, everyMs: 200 },
  );

/** An order that waits for its payment while the provider has said yes and payment-service cannot hear it. */
async function approvedUnheard(productId: string): Promise<OrderView> {
  const order = await shop.place({
    items: [{ id: productId, quantity: 1 }],
    payment: { token: 'tok_manual', deadline: 'PT4S' },
  });
  const waiting = await until(order.id, 'awaits its payment', ({ status }) => status === 'AWAITING_PAYMENT');
  const [payment] = await query<{ id: string }>('select id from payments.payment where order_id = $1', [order.id]);
  await part('payment-service', 'stop');
  const key = process.env['PROVIDER_API_KEY'] ?? 'local-provider-key';
  const url = `${shop.urls.provider}/v1/payments/${payment?.id}/decide`;
  expect((await shop.call('POST', url, { status: 'APPROVED' }, { authorization: `Bearer ${key}` })).status).toBe(202);
  return waiting;
}

it('an approval that beat the void at the deadline confirms the order', async () => {
  const product = await shop.addProduct(5);
  const order = await approvedUnheard(product.id);
  await until(order.id, 'has run out of time', (now) => Date.now() > Date.parse(now.payBy ?? ''));
  await part('payment-service', 'start');
  const ended = await until(order.id, 'has ended', ({ finished }) => finished);
  expect(ended).toMatchObject({ status: 'CONFIRMED', reason: null, payment: { state: 'APPROVED' } });
}, 120_000);

it('a paid order whose hold lapsed and whose tickets are gone is refunded: RESERVATION_EXPIRED', async () => {
  const product = await shop.addProduct(1);
  const order = await approvedUnheard(product.id);
  await eventually('the hold has lapsed', async () => (await shop.product(product.id)).available === 1, {
    withinMs: 30_000,
  });
  const other = await shop.place({ items: [{ id: product.id, quantity: 1 }], payment: { token: 'tok_approve' } });
  await eventually('somebody else holds the last ticket', async () => (await shop.product(product.id)).available === 0);
  await part('payment-service', 'start');
  const ended = await until(
    order.id,
    'has ended',
    ({ finished, payment }) => finished && payment?.state === 'REFUNDED',
  );
  expect(ended).toMatchObject({ status: 'PAYMENT_NOT_COMPLETED', reason: { code: 'RESERVATION_EXPIRED' } });
  expect(await until(other.id, 'has ended', ({ finished }) => finished)).toMatchObject({ status: 'CONFIRMED' });
}, 120_000);
