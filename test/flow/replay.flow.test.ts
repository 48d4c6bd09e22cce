/** Kafka delivers at least once: everything it holds comes again here, and nothing may change. */
import { afterAll, expect, it } from '@jest/globals';
import { eventually } from '../support/eventually.ts';
import { differences, quiet, records, rewind, stored } from '../support/replay.ts';
import { part, query, shop } from '../support/system.ts';

afterAll(() => shop.close());

const readers = ['order-service', 'payment-service', 'orchestrator'];
const orders: string[] = [];

async function finished(ids: string[]): Promise<void> {
  for (const id of ids)
    await eventually(`order ${id} has ended`, async () => (await shop.order(id)).finished, {
      withinMs: 120_000,
      everyMs: 250,
    });
}

/** One order for each way that events travel, all ended but the last, which still waits for its payment. */
async function history(): Promise<{ waiting: string }> {
  const product = await shop.addProduct(4);
  const place = async (token: string, more: object = {}, quantity = 1) => {
    const { id } = await shop.place({ items: [{ id: product.id, quantity }], payment: { token, ...more } });
    orders.push(id);
    return id;
  };
  await finished([await place('tok_approve'), await place('tok_decline'), await place('tok_twice')]);
  const cancelled = await place('tok_manual');
  await shop.cancel(cancelled);
  const byHand = await place('tok_manual');
  await eventually('it awaits its payment', async () => (await shop.order(byHand)).status === 'AWAITING_PAYMENT');
  await shop.sendPaymentEvent(byHand, 'PAYMENT_APPROVED');
  await finished([
    cancelled,
    byHand,
    await place('tok_never', { deadline: 'PT2S' }),
    await place('tok_approve', {}, 9),
  ]);
  const waiting = await place('tok_manual');
  await eventually('it awaits its payment', async () => (await shop.order(waiting)).status === 'AWAITING_PAYMENT');
  await quiet();
  return { waiting };
}

it('changes nothing when every record of these orders is sent once more, and again when all topics are read anew', async () => {
  const { waiting } = await history();
  const before = await stored();
  const mine = (await records()).filter(({ key }) => orders.includes(key));
  expect(new Set(mine.map(({ topic }) => topic))).toEqual(new Set(['created-orders', 'payment-event', 'order-steps']));

  await shop.sendAll(mine);
  await quiet();
  expect(differences(before, await stored())).toEqual([]);

  for (const name of readers) await part(name, 'stop');
  expect(await rewind()).toBeGreaterThanOrEqual(6);
  for (const name of readers) await part(name, 'start');
  await quiet();
  expect(differences(before, await stored())).toEqual([]);

  // Nothing is blocked either: the order that waited all the while is paid, and ends.
  await shop.decideAtProvider(waiting, 'APPROVED');
  await finished([waiting]);
  expect((await shop.order(waiting)).status).toBe('CONFIRMED');
  const started = await query('select 1 from orchestration.started_process where order_id = any($1)', [orders]);
  expect(started).toHaveLength(orders.length);
}, 400_000);
