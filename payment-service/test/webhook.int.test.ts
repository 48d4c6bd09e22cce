/** Who may call the webhook, and what its calls change. */
import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import { v7 as uuidV7 } from 'uuid';
import { z } from 'zod';
import { createWorld, webhookSecret, type World } from './world.ts';

let world: World;
beforeAll(async () => {
  world = await createWorld();
});
afterAll(() => world.stop());

async function requested(): Promise<string> {
  const orderId = uuidV7();
  await world.request(orderId, 'tok_never');
  return orderId;
}

describe('A call that is not believed changes nothing', () => {
  test('forged', async () => {
    const orderId = await requested();
    const answer = await world.webhook(world.approval(orderId), { secret: `not ${webhookSecret}` });
    expect(answer).toMatchObject({ status: 401, code: 'INVALID_SIGNATURE' });
    expect((await world.payment(orderId)).state).toBe('REQUESTED');
  });

  test('signed six minutes ago', async () => {
    const orderId = await requested();
    const answer = await world.webhook(world.approval(orderId), { at: new Date(Date.now() - 360_000) });
    expect(answer).toMatchObject({ status: 401, code: 'STALE_SIGNATURE' });
    expect((await world.payment(orderId)).state).toBe('REQUESTED');
  });

  test('without a readable signature', async () => {
    const orderId = await requested();
    const answer = await world.webhook(world.approval(orderId), { signature: 'yes, it is me' });
    expect(answer).toMatchObject({ status: 401, code: 'INVALID_SIGNATURE' });
  });

  test('without a signature is told nothing of what the body should hold', async () => {
    expect(await world.webhook('{}', { signature: 'none' })).toMatchObject({ status: 401, code: 'INVALID_SIGNATURE' });
  });

  test.each([
    ['cut off', '{"id":"1","type":"payment.appr', 400],
    ['a list', '[]', 422],
    ['empty', '{}', 422],
    ['a null byte in the reference', '{"id":"1","type":"payment.approved","reference":"\\u0000"}', 422],
    ['a number that is none', '{"id":"1","type":"payment.approved","amount":1e999}', 422],
  ])('garbage: %s', async (_, body, status) => {
    expect((await world.webhook(body)).status).toBe(status);
  });

  test('of a type that is not known, or an amount that is no whole number', async () => {
    const orderId = await requested();
    expect((await world.webhook(world.approval(orderId, { type: 'payment.maybe' }))).status).toBe(422);
    expect((await world.webhook(world.approval(orderId, { amount: 200.5 }))).status).toBe(422);
    expect((await world.webhook(world.approval(orderId, { id: 'a\u0000b' }))).status).toBe(422);
  });
});

describe('A call that is believed', () => {
  test('for a payment that is not known yet is asked to come again', async () => {
    const answer = await world.webhook(world.approval(uuidV7()));
    expect(answer).toMatchObject({ status: 503, code: 'NOT_KNOWN_YET' });
  });

  test('is booked once, and its repeats change nothing', async () => {
    const orderId = await requested();
    const approval = world.approval(orderId);
    expect(await world.webhook(approval)).toEqual({ status: 200, result: 'booked' });
    expect(await world.webhook(approval)).toEqual({ status: 200, result: 'repeat' });
    expect(await world.webhook(world.approval(orderId))).toEqual({ status: 200, result: 'ignored' });
    expect(await world.paymentEvents(orderId)).toHaveLength(1);
  });

  test('of a decline may give any reason, odd characters and all', async () => {
    const orderId = await requested();
    const reason = 'no\u0000 \ud800 \u{1f3ab}';
    const decline = { ...world.approval(orderId), type: 'payment.declined', reason };
    expect(await world.webhook(decline)).toEqual({ status: 200, result: 'booked' });
    expect((await world.payment(orderId)).state).toBe('DECLINED');
  });

  test('of a decline after the approval is ignored', async () => {
    const orderId = await requested();
    await world.webhook(world.approval(orderId));
    const decline = { ...world.approval(orderId), type: 'payment.declined' };
    expect(await world.webhook(decline)).toEqual({ status: 200, result: 'ignored' });
    expect((await world.payment(orderId)).state).toBe('APPROVED');
  });

  test.each([{ amount: 200_01 }, { currency: 'EUR' }])('of an approval of %p is a dead letter, once', async (wrong) => {
    const orderId = await requested();
    const approval = world.approval(orderId, wrong);
    expect(await world.webhook(approval)).toEqual({ status: 200, result: 'amount-mismatch' });
    expect(await world.webhook(approval)).toEqual({ status: 200, result: 'repeat' });
    expect(await world.webhook(world.approval(orderId, wrong))).toEqual({ status: 200, result: 'amount-mismatch' });
    const [letter, ...more] = await world.deadLetters(orderId);
    expect(letter).toMatchObject({ orderId, reason: { code: 'AMOUNT_MISMATCH' } });
    expect(z.object({ amount: z.int() }).parse(JSON.parse(letter?.source.value ?? ''))).toMatchObject({
      amount: approval.amount,
    });
    expect(more).toEqual([]);
    expect((await world.payment(orderId)).state).toBe('REQUESTED');
  });
});

describe('An operator', () => {
  test('sees the payment of an order, in decimals and without its token', async () => {
    const orderId = await requested();
    const response = await fetch(`${world.paymentUrl}/payments/${orderId}`, { headers: world.operator });
    const payment = z.record(z.string(), z.unknown()).parse(await response.json());
    expect(payment).toMatchObject({ orderId, state: 'REQUESTED', amount: 200, currency: 'GBP', accepted: true });
    expect(payment).not.toHaveProperty('token');
  });

  test.each(['abc', '019a0000-0000-7000-8000-000000000009'])('asking for %s gets a 404', async (orderId) => {
    const response = await fetch(`${world.paymentUrl}/payments/${orderId}`, { headers: world.operator });
    expect(response.status).toBe(404);
  });

  test('who is none sees nothing', async () => {
    const response = await fetch(`${world.paymentUrl}/payments/${uuidV7()}`, { headers: { Authorization: 'ada' } });
    expect(response.status).toBe(403);
  });
});
