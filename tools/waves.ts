/** The two waves of a rush: buyers of every kind with their repeats, cancels and aborts; then buyers who pay. */
import { setMaxListeners } from 'node:events';
import { setTimeout as delay } from 'node:timers/promises';
import { statusOnTheWay } from '@ticket-saga/contract/states';
import { ordersOf } from './books.ts';
import { type Buyer, buyerOf } from './buyers.ts';
import { unread } from './echo.ts';
import { inLanes, placeForSure } from './patience.ts';
import type { OrderView, Shop } from './shop.ts';

export type Wave = {
  shop: Shop;
  /** Order-services that take the orders in turn. */
  urls: readonly string[];
  customerId: string;
  productId: string;
  onPlaced: (orderId: string) => void;
  /** Told from time to time. */
  say: (line: string) => void;
};

export type Placed = {
  repeats: number;
  /** Repeats that named another order than the first answer did. */
  mixedUp: number;
  seconds: number;
};

/** Orders that are being posted at the same time. */
const lanes = 48;

export type Crowd = {
  seed: number;
  buyers: number;
  /** Orders a second at the most. */
  rate?: number | undefined;
  /** No more buyers come after this. */
  until?: AbortSignal;
  /** Asked before each buyer, again and again until it says yes: a stream that must not become a flood. */
  hasRoom?: () => Promise<boolean>;
};

/** Posts the orders, lets the buyers act on them, and resolves when all that is done. */
export async function placeWave(wave: Wave, { seed, buyers, rate = Infinity, until, hasRoom }: Crowd): Promise<Placed> {
  if (until) setMaxListeners(lanes + 1, until); // each lane waits for its next buyer
  const started = Date.now();
  const placed: Placed = { repeats: 0, mixedUp: 0, seconds: 0 };
  const after: Promise<void>[] = [];
  await inLanes(lanes, Array.from({ length: buyers }).keys(), async (index) => {
    const due = started + (index / rate) * 1_000;
    const enough = () => until?.aborted === true;
    if (enough()) return;
    if (due > Date.now())
      await delay(due - Date.now(), undefined, until ? { signal: until } : {}).catch(() => undefined);
    while (hasRoom && !enough() && !(await hasRoom())) await delay(500);
    if (enough()) return;
    after.push(...(await buy(wave, buyerOf(seed, index), placed)));
    if ((index + 1) % 500 === 0) wave.say(`${index + 1} of ${buyers} orders placed`);
  });
  placed.seconds = (Date.now() - started) / 1_000;
  await Promise.all(after);
  return placed;
}

/** Places one order; returns what goes on in the background. */
async function buy(wave: Wave, buyer: Buyer, placed: Placed): Promise<Promise<void>[]> {
  const { shop, customerId, productId } = wave;
  const key = `${customerId}-${buyer.index}`;
  const body = { customerId, items: [{ id: productId, quantity: buyer.quantity }], payment: buyer.payment };
  const post = async () => (await placeForSure(shop, wave.urls, body, key)).order;
  const atOnce = buyer.repeatsAfterMs.filter((ms) => ms === 0).map(() => post());
  const [order, ...again] = await Promise.all([post(), ...atOnce]);
  const note = ({ id }: OrderView) => {
    placed.repeats += 1;
    if (id !== order.id) placed.mixedUp += 1;
  };
  wave.onPlaced(order.id);
  again.forEach(note);
  const later = buyer.repeatsAfterMs
    .filter((ms) => ms > 0)
    .map(async (ms) => {
      await delay(ms);
      note(await post());
    });
  return [...later, act(shop, order.id, buyer)];
}

async function act(shop: Shop, orderId: string, { act: what }: Buyer): Promise<void> {
  if (!what) return;
  await delay(what.afterMs);
  const acts = {
    cancel: () => shop.cancel(orderId), // 409 when it is too late
    abort: () => shop.abort(orderId), // as above
    approve: () => shop.decideAtProvider(orderId, 'APPROVED'),
    decline: () => shop.decideAtProvider(orderId, 'DECLINED'),
    'decline by Kafka': async () => {
      if ((await shop.order(orderId)).status !== 'AWAITING_PAYMENT') throw new Error('There is nothing to decide yet.');
      await shop.sendPaymentEvent(orderId, 'PAYMENT_DECLINED');
    },
  };
  // Somebody decides once there is something to decide; never, when the order was sold out.
  for (const end = Date.now() + 20_000; Date.now() < end; await delay(500)) {
    if (
      await acts[what.what]().then(
        () => true,
        () => false,
      )
    )
      return;
  }
}

/** Buyers of one ticket each who pay at once. Resolves with the number of those whose order was taken. */
export async function payingWave({ shop, urls, customerId, productId }: Wave, buyers: number): Promise<number> {
  let taken = 0;
  await inLanes(lanes, Array.from({ length: buyers }).keys(), async (index) => {
    const body = { customerId, items: [{ id: productId, quantity: 1 }], payment: { token: 'tok_approve' } };
    await placeForSure(shop, urls, body, `${customerId}-${index}`);
    taken += 1;
  });
  return taken;
}

/**
 * Resolves when no order of the customer is on the way and the services have read all of Kafka. Rejects when nothing has
 * moved for `patienceMs`: names the orders that are stuck.
 */
export async function untilQuiet({ shop, customerId, productId, say }: Wave, patienceMs = 120_000): Promise<void> {
  let before = '';
  let movedAt = Date.now();
  let saidAt = 0;
  for (;;) {
    const open = await Promise.all(statusOnTheWay.map((status) => ordersOf(shop, customerId, { status, most: 100 })));
    const { available, held, sold } = await shop.product(productId);
    const count = (orders: OrderView[]) => (orders.length >= 100 ? '100+' : String(orders.length));
    const behind = await unread(shop);
    const counts = statusOnTheWay.map((status, index) => `${status} ${count(open[index] ?? [])}`).join(', ');
    const now = `${counts}; tickets: ${available} free, ${held} held, ${sold} sold; ${behind} messages unread`;
    if (Date.now() - saidAt > 5_000) {
      say(now);
      saidAt = Date.now();
    }
    if (open.flat().length === 0 && behind === 0) return;
    const digest = [now, ...open.flat().map(({ id, status, currentStep }) => `${id} ${status} ${currentStep}`)].join();
    if (digest !== before) movedAt = Date.now();
    before = digest;
    if (Date.now() - movedAt > patienceMs) {
      const stuck = open.flat().map(({ id, status, currentStep }) => `${id} ${status} at ${currentStep}`);
      throw new Error(`Nothing has moved for ${patienceMs / 1_000} s: ${stuck.slice(0, 20).join('; ') || now}`);
    }
    await delay(500);
  }
}
