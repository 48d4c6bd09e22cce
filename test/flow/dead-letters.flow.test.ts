import { randomUUID } from 'node:crypto';
import { afterAll, expect, it } from '@jest/globals';
import { deadLetter } from '../../contract/topics.ts';
import { eventually } from '../support/eventually.ts';
import { part, query, shop } from '../support/system.ts';

const letters: ReturnType<typeof deadLetter.parse>[] = [];
const consumer = shop.kafka.consumer({ groupId: `test-${randomUUID()}` });
const listening = (async () => {
  await consumer.connect();
  await consumer.subscribe({ topic: 'dead-letters', fromBeginning: true });
  await consumer.run({
    eachMessage: async ({ message }) => {
      const text = message.value?.toString() ?? '';
      // Other tests write there what is no letter.
      if (text.startsWith('{')) letters.push(deadLetter.parse(JSON.parse(text)));
    },
  });
})();

afterAll(() => shop.close(), 30_000);

it.each([
  ['created-orders', 'not json at all', 'UNREADABLE_MESSAGE'],
  ['created-orders', '{"type":"ORDER_CREATED"}', 'UNREADABLE_MESSAGE'],
  ['payment-event', '{"type":"PAYMENT_MAYBE","orderId":"1"}', 'UNREADABLE_MESSAGE'],
  ['order-steps', '[1,2,3]', 'UNREADABLE_MESSAGE'],
  ['catalog', '{"productId":7}', 'UNREADABLE_MESSAGE'],
])(
  'a poison message on %s (%s) is kept as a dead letter and blocks nothing',
  async (topic, value, code) => {
    await listening;
    const key = `poison-${randomUUID()}`;
    await shop.send(topic, key, value);
    const letter = await eventually(
      'the dead letter is there',
      () => letters.find(({ source }) => source.key === key),
      { withinMs: 30_000 },
    );
    expect(letter).toMatchObject({ reason: { code }, source: { topic, key, value } });

    const { id } = await shop.place({ productId: '1', quantity: 1 });
    await eventually('the next order passes', async () => (await shop.order(id)).status === 'CONFIRMED');
  },
  60_000,
);

it('an approval of another amount is a dead letter that names its order', async () => {
  await listening;
  const { id } = await shop.place({
    items: [{ id: '1', quantity: 1 }],
    payment: { token: 'tok_wrong_amount', deadline: 'PT5S' },
  });
  const letter = await eventually('the dead letter is there', () => letters.find(({ orderId }) => orderId === id), {
    withinMs: 30_000,
  });
  expect(letter.reason.code).toBe('AMOUNT_MISMATCH');
}, 60_000);

it('an order whose message was damaged on its way shows as stuck, not as pending for ever', async () => {
  // Kafka goes away below: a consumer that reconnects in the background could not be stopped cleanly.
  await listening;
  await consumer.disconnect();
  await part('kafka', 'stop');
  const { id } = await shop.place({ productId: '1', quantity: 1 });
  await query(`update orders.outbox set value = '{"type":"DAMAGED"}' where key = $1`, [id]);
  await part('kafka', 'start');
  const stuck = await eventually(
    'the order is stuck',
    async () => {
      const order = await shop.order(id);
      return order.steps.some(({ state }) => state === 'STUCK') && order;
    },
    { withinMs: 60_000, everyMs: 250 },
  );
  expect(stuck).toMatchObject({ status: 'PENDING', stage: 'Scheduling', currentStep: 'OrderPlaced' });
  expect(stuck.steps[0]).toMatchObject({ state: 'STUCK', error: { code: 'UNREADABLE_MESSAGE' } });
}, 120_000);
