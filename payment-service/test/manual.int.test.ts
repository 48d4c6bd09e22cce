/** Hand-written events on `payment-event`: booked in local mode, told anew with a signature. */
import { randomUUID } from 'node:crypto';
import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import { v7 as uuidV7 } from 'uuid';
import type { PaymentEvent } from '../../contract/topics.ts';
import { sign } from '../../runtime/signature.ts';
import { bookManual } from '../manual.ts';
import { createWorld, eventSecret, type World } from './world.ts';

let world: World;
beforeAll(async () => {
  world = await createWorld();
});
afterAll(() => world.stop());

async function requested(): Promise<string> {
  const orderId = uuidV7();
  await world.request(orderId, 'tok_manual');
  return orderId;
}

function byHand(
  orderId: string,
  more: Partial<PaymentEvent> = {},
  { mode = 'local' as 'local' | 'jwt', signature = '' } = {},
) {
  const event: PaymentEvent = {
    idempotencyKey: randomUUID(),
    type: 'PAYMENT_APPROVED',
    orderId,
    occurredAt: new Date().toISOString(),
    ...more,
  };
  const rawValue = Buffer.from(JSON.stringify(event));
  const headers: Record<string, string> = signature === 'ours' ? { signature: sign(eventSecret, rawValue) } : {};
  const source = { topic: 'payment-event', key: orderId, value: rawValue };
  return bookManual(world.parts, mode, event, { headers, rawValue, source });
}

describe('A hand-written event', () => {
  test('approves the payment as `manual`, and is told anew with a signature', async () => {
    const orderId = await requested();
    await byHand(orderId);
    await byHand(orderId);
    expect(await world.payment(orderId)).toMatchObject({ state: 'APPROVED', source: 'manual' });
    const rows = await world.outbox('payment-event', orderId);
    expect(rows).toHaveLength(1);
    expect(rows[0]?.headers['signature']).toBe(sign(eventSecret, rows[0]?.value ?? ''));
  });

  test('declines the payment with its reason', async () => {
    const orderId = await requested();
    await byHand(orderId, { type: 'PAYMENT_DECLINED', reason: 'the bank said no', amount: 200_00 });
    expect(await world.payment(orderId)).toMatchObject({ state: 'DECLINED', declineReason: 'the bank said no' });
  });

  test('after the void is LATE like any other', async () => {
    const orderId = await requested();
    await world.close(orderId);
    await byHand(orderId);
    expect((await world.payment(orderId)).state).toBe('LATE');
  });

  test.each([
    ['another amount', { amount: 1 }, 'AMOUNT_MISMATCH'],
    ['another payment', { paymentId: randomUUID() }, 'UNKNOWN_PAYMENT'],
    ['PAYMENT_LATE', { type: 'PAYMENT_LATE' }, 'NOT_BELIEVED'],
  ] as const)('with %s is a dead letter', async (_, more, code) => {
    const orderId = await requested();
    await expect(byHand(orderId, more)).rejects.toMatchObject({ code });
    expect((await world.payment(orderId)).state).toBe('REQUESTED');
  });

  test('for an order without a payment is a dead letter', async () => {
    await expect(byHand(uuidV7())).rejects.toMatchObject({ code: 'UNKNOWN_PAYMENT' });
  });

  test('changes nothing in JWT mode, nor when it is our own', async () => {
    const orderId = await requested();
    await byHand(orderId, {}, { mode: 'jwt' });
    await byHand(orderId, {}, { signature: 'ours' });
    expect((await world.payment(orderId)).state).toBe('REQUESTED');
  });
});

test('what was approved by hand is undone by voiding what is still open at the provider', async () => {
  const orderId = await requested();
  await byHand(orderId);
  await world.cancel(orderId);
  expect((await world.payment(orderId)).state).toBe('REFUNDED');
  expect(await world.atProvider(orderId)).toMatchObject({ status: 'VOIDED', refundedAmount: 0 });
});

test('what was undone by hand and is approved at the provider after all is late money, which goes back', async () => {
  const orderId = await requested();
  await byHand(orderId);
  await world.cancel(orderId);
  await world.webhook(world.approval(orderId));
  expect(await world.payment(orderId)).toMatchObject({ state: 'LATE', source: 'provider' });
  expect((await world.paymentEvents(orderId)).map(({ type }) => type)).toEqual(['PAYMENT_APPROVED', 'PAYMENT_LATE']);
});
