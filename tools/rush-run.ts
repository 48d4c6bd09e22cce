/** A rush: many buyers for few tickets, and what must be true of stock and money when it is over. */
import { setTimeout as delay } from 'node:timers/promises';
import { moneyOf, ordersOf } from './books.ts';
import { chanceOf } from './chance.ts';
import { startEcho } from './echo.ts';
import { inLanes } from './patience.ts';
import { endsOf, isOpen, line, type Line, moneyLines, stockLines } from './rush-table.ts';
import type { OrderView, Shop } from './shop.ts';
import { payingWave, placeWave, untilQuiet, type Wave } from './waves.ts';

export type RushOptions = {
  buyers: number;
  tickets: number;
  /** The same seed brings the same buyers. */
  seed: number;
  /** Orders a second at the most. */
  rate?: number;
  say?: (line: string) => void;
};

export type RushResult = { lines: Line[]; ends: string; seconds: number; ordersPerSecond: number };

/** Pennies, so that a rounding would show. */
const price = 12.34;

/** Rejects when orders get stuck; a line of the table that is off is the caller's to judge. */
export async function rush(
  shop: Shop,
  { buyers, tickets, seed, rate, say = () => undefined }: RushOptions,
): Promise<RushResult> {
  const product = await shop.addProduct(tickets, price);
  const ids = new Set<string>();
  const wave = (name: string): Wave => ({
    shop,
    urls: [shop.urls.order],
    customerId: `${name}-${product.id}`,
    productId: product.id,
    onPlaced: (id) => ids.add(id),
    say,
  });

  const first = wave('rush');
  const echo = await startEcho(shop, (orderId) => ids.has(orderId), chanceOf(seed, -2));
  const started = Date.now();
  const placed = await placeWave(first, { seed, buyers, rate });
  await untilQuiet(first);
  await untilPaid(first);
  const seconds = (Date.now() - started) / 1_000;
  say(`all have ended after ${seconds.toFixed(0)} s; now what was said comes once more, much too late`);
  const ended = await ordersOf(shop, first.customerId);
  const callbacks = await lateCallbacks(shop, ended);
  await echo.late();
  await untilQuiet(first);
  await untilPaid(first);
  const echoed = await echo.stop();

  const orders = await ordersOf(shop, first.customerId);
  const afterFirst = await shop.product(product.id);
  const lines = [
    line('orders placed', orders.length, buyers),
    line(`repeated posts (${placed.repeats}) that named another order`, placed.mixedUp, 0),
    line(`late callbacks (${callbacks}), events again (${echoed}): ends changed`, changed(ended, orders), 0),
    ...stockLines(afterFirst, orders),
    ...moneyLines(await moneyOf(shop, orders)),
  ];

  const second = wave('second');
  await payingWave(second, tickets);
  await untilQuiet(second);
  await untilPaid(second);
  const buyersWhoPay = await ordersOf(shop, second.customerId);
  const afterSecond = await shop.product(product.id);
  lines.push(
    line(`second wave: orders placed`, buyersWhoPay.length, tickets),
    line(`second wave: sold (${afterFirst.sold} before)`, afterSecond.sold, tickets),
    line('second wave: tickets held', afterSecond.held, 0),
    ...moneyLines([...(await moneyOf(shop, [...orders, ...buyersWhoPay]))]).map((each) => ({
      ...each,
      what: `both waves: ${each.what}`,
    })),
  );
  return { lines, ends: endsOf(orders), seconds, ordersPerSecond: buyers / seconds };
}

/** Money that came too late finds its way after the order's end: tickets again, or back. Gives up after a while. */
async function untilPaid({ shop, customerId, say }: Wave, withinMs = 180_000): Promise<void> {
  for (const end = Date.now() + withinMs; Date.now() < end; await delay(2_000)) {
    const open = (await ordersOf(shop, customerId)).filter(({ payment }) => isOpen(payment?.state));
    if (open.length === 0) return;
    say(`${open.length} payments are not settled yet`);
  }
}

/** For orders that are paid the provider calls again: the approval once more, and a decline that comes too late. */
async function lateCallbacks(shop: Shop, orders: readonly OrderView[]): Promise<number> {
  let calls = 0;
  const paid = (await moneyOf(shop, orders.filter(({ status }) => status === 'CONFIRMED').slice(0, 100))).filter(
    ({ net }) => net > 0,
  );
  await inLanes(8, paid, async ({ paymentId, net }) => {
    const event = { reference: paymentId, occurredAt: new Date().toISOString() };
    const told = [
      { ...event, id: `again-${paymentId}`, type: 'payment.approved', amount: net, currency: 'GBP' },
      { ...event, id: `late-${paymentId}`, type: 'payment.declined', reason: 'too late' },
    ];
    for (const each of told) {
      const { status } = await shop.webhook(each);
      if (status === 200) calls += 1;
    }
  });
  return calls;
}

function changed(before: readonly OrderView[], after: readonly OrderView[]): number {
  const ends = (order: OrderView | undefined) =>
    JSON.stringify([order?.status, order?.reason, order?.tickets, order?.payment]);
  const then = new Map(before.map((order) => [order.id, order]));
  return after.filter((order) => ends(order) !== ends(then.get(order.id))).length;
}
