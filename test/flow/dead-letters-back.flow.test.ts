import { execFile } from 'node:child_process';
import { randomUUID } from 'node:crypto';
import { afterAll, describe, expect, it } from '@jest/globals';
import { openOperations, operationsSettings } from '../../tools/operations.ts';
import { eventually } from '../support/eventually.ts';
import { part, shop } from '../support/system.ts';

const operations = openOperations(operationsSettings());
const patience = { withinMs: 60_000, everyMs: 200 };
const manual = { items: [{ id: '1', quantity: 1 }], payment: { token: 'tok_manual' } };

afterAll(() => shop.close());

/** `npm run dead-letters -- …`: exit code and output. */
const cli = (...args: string[]) =>
  new Promise<{ code: number; out: string; err: string }>((resolve) => {
    execFile(process.execPath, ['tools/dist/dead-letters.js', ...args], (error, out, err) =>
      resolve({ code: typeof error?.code === 'number' ? error.code : 0, out, err }),
    );
  });

const letterOf = (query: Record<string, string>, what = 'the dead letter is listed') =>
  eventually(what, async () => (await operations.deadLetters(query)).items[0], patience);
const confirmed = (id: string) =>
  eventually('the order is confirmed', async () => (await shop.order(id)).status === 'CONFIRMED', patience);
async function topicEnd(): Promise<number> {
  const admin = shop.kafka.admin();
  await admin.connect();
  try {
    const offsets = await admin.fetchTopicOffsets('dead-letters');
    return offsets.reduce((sum, { high }) => sum + Number(high), 0);
  } finally {
    await admin.disconnect();
  }
}

describe('A dead letter', () => {
  it('is listed with its order, shown whole, and has its effect when it is replayed', async () => {
    // The payment's answer, by hand, before there is a payment: too early.
    await part('inventory-service', 'stop');
    const { id } = await shop.place(manual);
    await shop.sendPaymentEvent(id, 'PAYMENT_APPROVED');
    const letter = await letterOf({ orderId: id });
    await part('inventory-service', 'start');
    expect(letter).toMatchObject({ state: 'OPEN', code: 'UNKNOWN_PAYMENT', topic: 'payment-event', decided: null });
    const linked = await fetch(letter.links.order ?? '', { headers: shop.operatorHeaders });
    expect(await linked.json()).toMatchObject({ id });
    expect((await operations.deadLetter(letter.id)).letter).toMatchObject({
      source: { key: id, value: expect.stringContaining('PAYMENT_APPROVED') },
    });
    await eventually(
      'it awaits its payment',
      async () => (await shop.order(id)).status === 'AWAITING_PAYMENT',
      patience,
    );

    expect(await cli('list', '--order', id)).toMatchObject({
      code: 0,
      out: expect.stringContaining('UNKNOWN_PAYMENT'),
    });
    expect(await cli('show', letter.id)).toMatchObject({ code: 0, out: expect.stringContaining('"replayable": true') });
    expect(await cli('replay', letter.id)).toMatchObject({ code: 0, out: expect.stringContaining('REPLAYED') });
    await confirmed(id);
    expect(await cli('replay', letter.id)).toMatchObject({ code: 1, err: expect.stringContaining('STALE_ACTION') });
    expect(await cli('discard', letter.id)).toMatchObject({ code: 2, err: expect.stringContaining('--reason') });
  }, 180_000);

  it('that fails again comes back as another, and a discarded one does not come back', async () => {
    const key = randomUUID();
    await shop.send('created-orders', key, '{"type":"ORDER_CREATED"}');
    const first = await letterOf({ orderId: key });
    expect(await cli('replay', '--all', '--order', key)).toMatchObject({ code: 0, out: '1 replayed, 0 refused\n' });
    const second = await letterOf({ orderId: key, state: 'OPEN' }, 'it is listed anew');
    expect(second.id).not.toBe(first.id);
    expect(await cli('discard', second.id, '--reason', 'nonsense')).toMatchObject({ code: 0 });
    expect(await cli('list', '--order', key, '--state', 'all')).toMatchObject({
      out: expect.stringMatching(/DISCARDED[^]*REPLAYED/),
    });
    const { items } = await operations.audit({ orderId: key });
    expect(items.map(({ action, outcome, reason }) => `${action} ${outcome}: ${reason}`)).toEqual([
      'discard-dead-letter done: nonsense',
      'replay-dead-letter done: replayed from the command line',
    ]);
  }, 120_000);

  it('of another amount than asked is not replayed: the answer says what to do', async () => {
    const order = { items: [{ id: '1', quantity: 1 }], payment: { token: 'tok_wrong_amount', deadline: 'PT5S' } };
    const { id } = await shop.place(order);
    const letter = await letterOf({ orderId: id, code: 'AMOUNT_MISMATCH' });
    await expect(operations.replay(letter.id, 'again')).rejects.toMatchObject({
      status: 409,
      code: 'ACTION_NOT_POSSIBLE',
      message: expect.stringContaining('abort the order'),
    });
    expect(await operations.discard(letter.id, 'settled with the provider')).toMatchObject({ state: 'DISCARDED' });
  }, 90_000);

  it('as large as Kafka takes a message is written, and blocks nothing', async () => {
    const key = randomUUID();
    await shop.send('created-orders', key, '"'.repeat(900_000)); // twice as long in a letter
    await letterOf({ orderId: key });
    const { id } = await shop.place({ productId: '1', quantity: 1 });
    await confirmed(id);
  }, 90_000);
});

it('what is no dead letter in the topic is shown, is followed by no other, and blocks nothing', async () => {
  const text = `garbage ${randomUUID()}`;
  await shop.send('dead-letters', 'x', text);
  const end = await topicEnd();
  const letter = await letterOf({ code: 'NO_DEAD_LETTER' });
  expect(await operations.deadLetter(letter.id)).toMatchObject({
    letter: Buffer.from(text).toString('base64'),
    replayable: false,
  });
  const key = randomUUID();
  await shop.send('created-orders', key, 'poison');
  await letterOf({ orderId: key }, 'the next letter is listed');
  expect(await topicEnd()).toBe(end + 1);
}, 90_000);
