/** An operator refunds confirmed orders: one, or all of an event that is called off, also across a kill. */
import { afterAll, expect, test } from '@jest/globals';
import { openOperations, operationsSettings } from '../../tools/operations.ts';
import type { OrderView } from '../../tools/shop.ts';
import { eventually } from '../support/eventually.ts';
import { brokenStock, part, query, shop } from '../support/system.ts';

afterAll(() => shop.close());

const operations = openOperations(operationsSettings());
const patience = { withinMs: 90_000 };
const isDone = (id: string) =>
  eventually(
    'the refund is done',
    async () => {
      const refund = await operations.refundProgress(id).catch(() => undefined);
      return refund?.state === 'DONE' ? refund : undefined;
    },
    patience,
  );
const until = (id: string, is: (order: OrderView) => boolean) =>
  eventually(
    `the order ${id} is as it should be`,
    async () => {
      const order = await shop.order(id);
      return is(order) ? order : undefined;
    },
    patience,
  );
const bought = async (productId: string, token: string) => {
  const { id } = await shop.place({ items: [{ id: productId, quantity: 1 }], payment: { token } });
  return until(id, ({ status }) => status === 'CONFIRMED');
};
/** How often the provider was asked to give the order's money back, and how much it has. */
const refundsOf = async (orderId: string) =>
  (
    await query<{ status: string; refunded: number; kept: number }>(
      `select b.status, b.refunded_amount as refunded, b.approved_amount - b.refunded_amount as kept
       from payments.payment p join provider.payment b on b.reference = p.id::text where p.order_id = $1`,
      [orderId],
    )
  )[0];

test('a confirmed order is refunded once: money back, tickets free, no ticket codes', async () => {
  const product = await shop.addProduct(3);
  const { id } = await bought(product.id, 'tok_refund_flaky:2');
  const refund = await isDone((await operations.refund({ orderId: id, reason: 'goodwill' })).id);
  expect(refund).toMatchObject({ total: 1, done: 1, refused: 0, failed: 0, reason: 'goodwill' });
  const order = await shop.order(id);
  expect(order).toMatchObject({
    status: 'REFUNDED',
    reason: { code: 'REFUNDED_BY_OPERATOR' },
    stage: 'Failed',
    tickets: [],
  });
  await until(id, ({ payment }) => payment?.state === 'REFUNDED');
  expect(order.history.map(({ state }) => state)).toEqual(
    expect.arrayContaining(['PAYMENT_REFUNDED', 'ORDER_REFUNDED']),
  );
  expect(order.steps.find((step) => step.id === 'RefundPayment')?.['attempts']).toBe(3);
  expect(await refundsOf(id)).toEqual({ status: 'REFUNDED', refunded: 10_00, kept: 0 });
  expect(await shop.product(product.id)).toMatchObject({ available: 3, held: 0, sold: 0 });

  const again = operations.refund({ orderId: id, reason: 'again' });
  await expect(again).rejects.toMatchObject({ status: 409, code: 'ORDER_NOT_REFUNDABLE' });
  const audit = await query(
    `select action, reason, outcome from orchestration.operator_action where order_id = $1 order by id`,
    [id],
  );
  expect(audit).toEqual([
    { action: 'refund-order', reason: 'goodwill', outcome: 'done' },
    { action: 'refund-order', reason: 'again', outcome: 'ORDER_NOT_REFUNDABLE' },
  ]);
}, 180_000);

test('an event that is called off: all its confirmed orders are refunded, although the orchestrator is killed meanwhile', async () => {
  const product = await shop.addProduct(40);
  const tokens = [...Array.from({ length: 11 }, () => 'tok_approve'), 'tok_contradict', 'tok_contradict'];
  const orders = await Promise.all(tokens.map((token) => bought(product.id, token)));
  const onTheirWay = await Promise.all(
    [1, 2].map(() => shop.place({ items: [{ id: product.id, quantity: 1 }], payment: { token: 'tok_manual' } })),
  );
  for (const order of onTheirWay) await until(order.id, ({ status }) => status === 'AWAITING_PAYMENT');
  const { id } = await operations.refund({ productId: product.id, reason: 'the singer is ill' });
  await eventually(
    'some are under way',
    async () => {
      const [row] = await query<{ begun: number }>(
        `select count(*)::int as begun from orchestration.refund_order where refund_id = $1 and state in ('RUNNING', 'DONE')`,
        [id],
      );
      return (row?.begun ?? 0) > 0;
    },
    patience,
  );
  await part('orchestrator', 'kill');
  await part('orchestrator', 'start');
  await eventually(
    'the others are refunded, two are waited for',
    async () => {
      const refund = await operations.refundProgress(id).catch(() => undefined);
      return refund?.done === orders.length && refund['waiting'] === 2 && refund.state === 'RUNNING';
    },
    patience,
  );
  expect(await shop.product(product.id)).toMatchObject({ available: 38, held: 2, sold: 0 });
  const [paid, cancelled] = onTheirWay.map((order) => order.id);
  await shop.decideAtProvider(paid ?? '', 'APPROVED');
  await shop.cancel(cancelled ?? '');
  const all = [...orders, { id: paid ?? '' }];
  expect(await isDone(id)).toMatchObject({ total: all.length + 1, done: all.length, refused: 1, failed: 0 });
  for (const order of all) {
    expect(await shop.order(order.id)).toMatchObject({ status: 'REFUNDED', tickets: [] });
    expect(await refundsOf(order.id)).toEqual({ status: 'REFUNDED', refunded: 10_00, kept: 0 });
  }
  expect(await shop.order(cancelled ?? '')).toMatchObject({ status: 'CANCELLED' });
  expect(await shop.product(product.id)).toMatchObject({ available: 40, held: 0, sold: 0 });
  expect(await brokenStock()).toEqual([]);
}, 300_000);

test('what cannot be refunded is refused with its reason', async () => {
  const orderId = '019a0000-0000-7000-8000-000000000001';
  const refusals = [
    { wish: { orderId, reason: 'x' }, refused: { status: 404, code: 'ORDER_NOT_FOUND' } },
    { wish: { productId: 'no-such', reason: 'x' }, refused: { status: 404, code: 'PRODUCT_NOT_FOUND' } },
    { wish: { productId: '1', reason: '' }, refused: { status: 422 } },
    { wish: { productId: '1', orderId, reason: 'x' }, refused: { status: 422 } },
  ];
  for (const { wish, refused } of refusals) await expect(operations.refund(wish)).rejects.toMatchObject(refused);
});
