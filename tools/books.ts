/** What the shop and the payment provider have on their books of some orders, over HTTP. */
import type { OrderStatus } from '@ticket-saga/contract/states';
import { z } from 'zod';
import { askForSure, inLanes } from './patience.ts';
import { type OrderView, orderView, type Shop } from './shop.ts';

const page = z.object({ items: z.array(orderView), nextCursor: z.string().nullable() });
const paymentView = z.looseObject({ id: z.string(), state: z.string() });
const bookView = z.looseObject({ status: z.string(), approvedAmount: z.int().optional(), refundedAmount: z.int() });

export type Money = {
  order: OrderView;
  paymentId: string | undefined;
  /** What payment-service says of it; undefined: no payment was ever asked for. */
  state: string | undefined;
  /** What the provider has taken and not given back, minor units. */
  net: number;
};

async function read(shop: Shop, url: string, headers = shop.operatorHeaders) {
  return askForSure([url], 60_000, () => shop.call('GET', url, undefined, headers, 20_000));
}

/** A customer's orders, all pages; with `most` only the newest of them. */
export async function ordersOf(
  shop: Shop,
  customerId: string,
  { status, most = Infinity }: { status?: OrderStatus; most?: number } = {},
): Promise<OrderView[]> {
  const found: OrderView[] = [];
  let cursor: string | null = null;
  do {
    const query = new URLSearchParams({ customerId, limit: String(Math.min(100, most)) });
    if (status) query.set('status', status);
    if (cursor) query.set('cursor', cursor);
    const { items, nextCursor }: z.infer<typeof page> = page.parse(
      (await read(shop, `${shop.urls.order}/orders?${query.toString()}`)).body,
    );
    found.push(...items);
    cursor = nextCursor;
  } while (cursor !== null && found.length < most);
  return found;
}

/** The payments of the orders, in the shop's books and in the provider's. */
export async function moneyOf(shop: Shop, orders: readonly OrderView[]): Promise<Money[]> {
  const found: Money[] = [];
  await inLanes(8, orders, async (order) => {
    const payment = await read(shop, `${shop.urls.payment}/payments/${order.id}`);
    if (payment.status === 404) return void found.push({ order, paymentId: undefined, state: undefined, net: 0 });
    const { id, state } = paymentView.parse(payment.body);
    const book = await read(shop, `${shop.urls.provider}/v1/payments/${id}`, shop.providerHeaders);
    if (book.status === 404) return void found.push({ order, paymentId: id, state, net: 0 }); // voided before it was asked for
    const { approvedAmount = 0, refundedAmount } = bookView.parse(book.body);
    found.push({ order, paymentId: id, state, net: approvedAmount - refundedAmount });
  });
  return found;
}
