/** Money that comes after the order has ended: tickets again, or the money back, once. */
import { afterAll, describe, expect, test } from '@jest/globals';
import type { OrderView } from '../../tools/shop.ts';
import { eventually } from '../support/eventually.ts';
import { brokenStock, query, shop } from '../support/system.ts';

afterAll(() => shop.close());

const buy = (productId: string, token: string, quantity = 1) =>
  shop.place({ items: [{ id: productId, quantity }], payment: { token } });

/** Reads the order until it is as `is` says. */
const until = (what: string, id: string, is: (order: OrderView) => boolean) =>
  eventually(
    what,
    async () => {
      const order = await shop.order(id);
      return is(order) ? order : undefined;
    },
    { withinMs: 60_000 },
  );
const refunded = (order: OrderView) => order.payment?.state === 'REFUNDED' && order.finished;

/** What the provider's books say of the order's payment, and how often it was asked for a refund. */
async function books(orderId: string) {
  const [found] = await query<{ status: string; approved: number; refunded: number; calls: number }>(
    `select b.status, b.approved_amount as approved, b.refunded_amount as refunded,
       (select coalesce(sum(calls), 0)::int from provider.api_call where key = 'refund:' || b.reference) as calls
     from payments.payment p join provider.payment b on b.reference = p.id::text where p.order_id = $1`,
    [orderId],
  );
  return found;
}
const stepIds = (order: OrderView) => order.steps.map(({ id }) => id);

describe('An order whose payment was declined and approved a second later', () => {
  test('is reinstated: its tickets are sold, and the provider keeps the money', async () => {
    const product = await shop.addProduct(5);
    const { id } = await buy(product.id, 'tok_contradict', 2);
    const order = await until('the order is reinstated', id, ({ status }) => status === 'CONFIRMED');
    expect(order).toMatchObject({
      reason: null,
      stage: 'Completed',
      currentStep: null,
      payment: { state: 'APPROVED' },
    });
    expect(order.tickets).toHaveLength(2);
    expect(stepIds(order).slice(-5)).toEqual([
      'CheckLatePayment',
      'ReserveLateTickets',
      'ConfirmLateTickets',
      'AcceptPayment',
      'ReinstateOrder',
    ]);
    expect(order.steps.find(({ id: step }) => step === 'ReserveTickets')?.state).toBe('ROLLED_BACK');
    expect(order.steps.find(({ id: step }) => step === 'ReserveLateTickets')?.state).toBe('COMPLETED');
    expect(await shop.product(product.id)).toMatchObject({ available: 3, held: 0, sold: 2 });
    expect(await books(id)).toEqual({ status: 'APPROVED', approved: 20_00, refunded: 0, calls: 0 });
  });

  test('gets the money back, once, when its tickets are gone, also where the provider refuses that for a while', async () => {
    const product = await shop.addProduct(1);
    const { id } = await buy(product.id, 'tok_late_refund_flaky:2');
    await until('the order has ended', id, ({ finished }) => finished);
    const quick = await buy(product.id, 'tok_approve');
    const order = await until('the money is back', id, refunded);
    await until('the other has the ticket', quick.id, ({ status }) => status === 'CONFIRMED');
    expect(order).toMatchObject({ status: 'PAYMENT_NOT_COMPLETED', reason: { code: 'PAYMENT_DECLINED' }, tickets: [] });
    expect(order.history.map(({ state }) => state).slice(-3)).toEqual([
      'PAYMENT_LATE',
      'RESERVE_FAILED',
      'PAYMENT_REFUNDED',
    ]);
    expect(order.steps.find(({ id: step }) => step === 'RefundLatePayment')?.['attempts']).toBe(3);
    expect(await books(id)).toMatchObject({ status: 'REFUNDED', approved: 10_00, refunded: 10_00, calls: 3 });
    expect(await shop.product(product.id)).toMatchObject({ available: 0, held: 0, sold: 1 });
  });
});

test('an order that its customer cancelled gets its late money back, though there are tickets', async () => {
  const product = await shop.addProduct(5);
  const { id } = await buy(product.id, 'tok_late');
  await until('the payment is awaited', id, ({ status }) => status === 'AWAITING_PAYMENT');
  await shop.cancel(id);
  const order = await until('the money is back', id, refunded);
  expect(order).toMatchObject({ status: 'CANCELLED', reason: { code: 'CANCELLED_BY_CUSTOMER' }, tickets: [] });
  expect(stepIds(order)).not.toContain('ReserveLateTickets');
  expect(await books(id)).toMatchObject({ status: 'REFUNDED', approved: 10_00, refunded: 10_00, calls: 1 });
  expect(await shop.product(product.id)).toMatchObject({ available: 5, held: 0, sold: 0 });
});

test('approval and deadline at the same moment: whoever is first decides, and the books agree', async () => {
  const product = await shop.addProduct(100);
  const place = (seconds: number) =>
    shop.place({
      items: [{ id: product.id, quantity: 1 }],
      payment: { token: `tok_slow:${seconds}`, deadline: 'PT3S' },
    });
  const orders = await Promise.all([2.6, 2.8, 2.9, 3, 3, 3.1, 3.1, 3.2, 3.2, 3.3, 3.4, 3.6].map(place));
  const ended = await Promise.all(
    orders.map(({ id }) => until('the order has ended', id, ({ finished, payment }) => finished && payment !== null)),
  );
  const kept = ended.filter(({ status }) => status === 'CONFIRMED');
  for (const order of ended) {
    const isKept = kept.includes(order);
    expect([order.status, order.payment?.state]).toEqual(
      isKept ? ['CONFIRMED', 'APPROVED'] : ['PAYMENT_NOT_COMPLETED', 'VOIDED'],
    );
    expect((await books(order.id))?.status).toBe(order.payment?.state);
  }
  expect(await shop.product(product.id)).toMatchObject({ held: 0, sold: kept.length });
  expect(await brokenStock()).toEqual([]);
});
