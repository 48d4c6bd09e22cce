/** Requests without an answer are asked about; webhooks wait while one side is down. */
import { afterAll, beforeEach, afterEach, beforeAll, expect, test } from '@jest/globals';
import { v7 as uuidV7 } from 'uuid';
import { eventually } from '../../test/support/eventually.ts';
import { createHealth } from '@ticket-saga/runtime/health';
import { whileLocked } from '../../test/support/locked.ts';
import { askUnanswered, startPoller } from '../poller.ts';
import type { Parts } from '../settle.ts';
import { createProvider } from '../provider.ts';
import { createWorld, type World } from './world.ts';

let world: World;
/** As `world.parts`, but the provider's webhooks go to nobody. */
let deaf: Parts;
beforeAll(async () => {
  world = await createWorld();
});
beforeEach(() => {
  const provider = createProvider({
    url: world.providerUrl,
    apiKey: 'test-api-key',
    timeoutMs: 5_000,
    callbackUrl: 'http://127.0.0.1:9/nobody',
  });
  deaf = { ...world.parts, provider };
});
afterEach(async () => {
  await world.database.admin.query(`update payments.payment set state = 'VOIDED' where state = 'REQUESTED'`);
});
afterAll(() => world.stop());

async function requestUnheard(token: string, decided: string): Promise<string> {
  const orderId = uuidV7();
  await world.request(orderId, token, { as: deaf });
  await eventually(`the provider has ${decided}`, async () => (await world.atProvider(orderId))?.status === decided);
  return orderId;
}

test.each([
  ['tok_approve', 'APPROVED', 'PAYMENT_COMPLETED'],
  ['tok_decline', 'DECLINED', 'PAYMENT_FAILED'],
] as const)('what %s decided is learned by asking', async (token, state, history) => {
  const orderId = await requestUnheard(token, state);
  expect(await askUnanswered(world.parts, 0)).toBe(1);
  expect((await world.payment(orderId)).state).toBe(state);
  expect(await world.history(orderId)).toEqual(['PAYMENT_CREATED', history]);
  expect(await world.paymentEvents(orderId)).toHaveLength(1);
  expect(await askUnanswered(world.parts, 0)).toBe(0);
});

test('a wrong amount that is learned by asking is one dead letter, however often it is asked', async () => {
  const orderId = await requestUnheard('tok_wrong_amount', 'APPROVED');
  await askUnanswered(world.parts, 0);
  await askUnanswered(world.parts, 0);
  expect(await world.deadLetters(orderId)).toHaveLength(1);
  expect((await world.payment(orderId)).state).toBe('REQUESTED');
});

test('a payment that waits is left alone until its time has come, and while it is pending', async () => {
  const orderId = await requestUnheard('tok_never', 'PENDING');
  expect(await askUnanswered(world.parts, 30_000)).toBe(0);
  expect(await askUnanswered(world.parts, 0)).toBe(1);
  expect(await askUnanswered(world.parts, 30_000)).toBe(0);
  expect((await world.payment(orderId)).state).toBe('REQUESTED');
});

test('a request that never got through is asked about in vain, without harm', async () => {
  const orderId = uuidV7();
  await expect(world.request(orderId, 'tok_down')).rejects.toMatchObject({ code: 'PROVIDER_UNAVAILABLE' });
  expect(await askUnanswered(world.parts, 0)).toBe(1);
  expect((await world.payment(orderId)).accepted).toBe(false);
});

test('two processes never ask about the same payment at once', async () => {
  const orders = await Promise.all(Array.from({ length: 8 }, () => requestUnheard('tok_never', 'PENDING')));
  await world.database.admin.query(`update payments.payment set created_at = now() - interval '1 minute'`);
  const asked = await Promise.all([1, 2, 3, 4].map(() => askUnanswered(world.parts, 30_000)));
  expect(asked.reduce((sum, count) => sum + count)).toBe(orders.length);
});

test('the poller goes on by itself until it is stopped', async () => {
  const stop = startPoller(world.parts, 100, createHealth().part('poller'));
  const orderId = await requestUnheard('tok_approve', 'APPROVED');
  await world.until(orderId, 'APPROVED');
  await stop();
});

test('a poller that hangs, without any error, makes the service not ready until it gets on', async () => {
  const health = createHealth();
  const stop = startPoller(world.parts, 100, health.part('poller', 2_000));
  try {
    await eventually('ready at first', () => health.report().ready);
    await whileLocked(world.database.admin, 'payments.payment', () =>
      eventually('red', () => health.report().parts['poller']?.detail?.startsWith('has not been heard of for')),
    );
    await eventually('green', () => health.report().ready);
  } finally {
    await stop();
  }
});

test("a webhook waits in the provider's database while its process is down", async () => {
  await world.stopClockwork();
  const orderId = uuidV7();
  await world.request(orderId, 'tok_approve');
  expect((await world.payment(orderId)).state).toBe('REQUESTED');
  world.startClockwork();
  await world.until(orderId, 'APPROVED');
});
