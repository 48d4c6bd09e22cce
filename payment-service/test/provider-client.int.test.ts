/** How the provider's failures are judged: passing ones use up a try, refusals are for a person. */
import { afterAll, beforeAll, expect, test } from '@jest/globals';
import { v7 as uuidV7 } from 'uuid';
import { isOwnFault, PassingFault, PermanentError } from '../../runtime/errors.ts';
import { createProvider } from '../provider.ts';
import { createWorld, type World } from './world.ts';

let world: World;
beforeAll(async () => {
  world = await createWorld();
});
afterAll(() => world.stop());

/** Requests with a client of its own; the failure. */
async function failure(token: string, client: { url?: string; apiKey?: string; timeoutMs?: number }): Promise<unknown> {
  const provider = createProvider({
    url: world.providerUrl,
    apiKey: 'test-api-key',
    timeoutMs: 5_000,
    callbackUrl: `${world.paymentUrl}/webhooks/payments`,
    ...client,
  });
  const orderId = uuidV7();
  const failed: unknown = await world.request(orderId, token, { as: { ...world.parts, provider } }).then(
    () => undefined,
    (error: unknown) => error,
  );
  expect(await world.payment(orderId)).toMatchObject({ state: 'REQUESTED', accepted: false });
  expect(await world.history(orderId)).toEqual([]);
  return failed;
}

test('a provider that refuses connections is away, and that is not our own fault', async () => {
  const error = await failure('tok_approve', { url: 'http://127.0.0.1:9' });
  expect(error).toBeInstanceOf(PassingFault);
  expect(isOwnFault(error)).toBe(false);
});

test('a provider that does not answer in time is away', async () => {
  await world.stopClockwork(); // tok_early waits for its webhook, which now never goes out
  const error = await failure('tok_early', { timeoutMs: 200 });
  world.startClockwork();
  expect(error).toBeInstanceOf(PassingFault);
  expect(String(error)).toContain('not answered within 0.2 s');
});

test('a provider that says 503 is away', async () => {
  expect(await failure('tok_down', {})).toMatchObject({ code: 'PROVIDER_UNAVAILABLE' });
});

test('a provider that refuses our key is a case for a person, with its reason', async () => {
  const error = await failure('tok_approve', { apiKey: 'stale' });
  expect(error).toBeInstanceOf(PermanentError);
  expect(String(error)).toContain('status 401). UNAUTHENTICATED');
});

test('an address where something else answers is a case for a person, not an approval', async () => {
  expect(await failure('tok_approve', { url: `${world.paymentUrl}/` })).toMatchObject({ code: 'PROVIDER_REFUSED' });
});
