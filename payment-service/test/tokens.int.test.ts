/** Every test token of the provider (PRODUCT 3), from the request to what the order is told. */
import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import { v7 as uuidV7 } from 'uuid';
import { PassingFault } from '../../runtime/errors.ts';
import { isSigned } from '../../runtime/signature.ts';
import { eventually } from '../../test/support/eventually.ts';
import { createWorld, eventSecret, type World } from './world.ts';

let world: World;
beforeAll(async () => {
  world = await createWorld();
});
afterAll(() => world.stop());

/** Requests, and waits for the payment to get there. */
async function payWith(token: string | null, state: Parameters<World['until']>[1], total = 200_00): Promise<string> {
  const orderId = uuidV7();
  await world.request(orderId, token, { total });
  await world.until(orderId, state);
  return orderId;
}

describe('The provider decides by itself', () => {
  test('a total up to the limit is approved, and the order is told with a signature', async () => {
    const orderId = await payWith(null, 'APPROVED', 1_000_00);
    expect((await world.history(orderId)).toSorted()).toEqual(['PAYMENT_COMPLETED', 'PAYMENT_CREATED']);
    const [event] = await world.paymentEvents(orderId);
    expect(event).toMatchObject({ type: 'PAYMENT_APPROVED', orderId, amount: 1_000_00 });
    const [row] = await world.outbox('payment-event', orderId);
    expect(isSigned(eventSecret, Buffer.from(row?.value ?? ''), row?.headers['signature'])).toBe(true);
  });

  test('a total above the limit is declined, with a reason', async () => {
    const orderId = await payWith(null, 'DECLINED', 1_000_01);
    expect(await world.paymentEvents(orderId)).toMatchObject([
      { type: 'PAYMENT_DECLINED', reason: 'The total is above the limit.' },
    ]);
    expect(await world.history(orderId)).toContain('PAYMENT_FAILED');
  });

  test.each([
    ['tok_approve', 'APPROVED', 5_000_00],
    ['tok_decline', 'DECLINED', 1_00],
    ['tok_slow:0.2', 'APPROVED', 200_00],
    ['tok_no_such', 'DECLINED', 200_00],
    ['tok_garbage', 'APPROVED', 200_00],
  ] as const)('%s ends %s', async (token, state, total) => {
    const orderId = await payWith(token, state, total);
    expect(await world.paymentEvents(orderId)).toHaveLength(1);
  });

  test('tok_twice is approved once, though both calls arrive', async () => {
    const orderId = await payWith('tok_twice', 'APPROVED');
    const sent = await eventually('both are delivered', async () => {
      const { rows } = await world.database.admin.query(
        `select w.attempts from provider.webhook w join provider.payment p on p.id = w.payment_id
         where p.reference = $1 and w.delivered_at is not null`,
        [(await world.payment(orderId)).id],
      );
      return rows[0];
    });
    expect(sent).toEqual({ attempts: 2 });
    expect(await world.paymentEvents(orderId)).toHaveLength(1);
  });

  test('tok_early: the webhook finds the payment, and PAYMENT_CREATED is told once', async () => {
    const orderId = uuidV7();
    await world.request(orderId, 'tok_early');
    expect((await world.payment(orderId)).state).toBe('APPROVED');
    expect(await world.history(orderId)).toEqual(['PAYMENT_CREATED', 'PAYMENT_COMPLETED']);
    const events = await world.stepEvents(orderId);
    expect(events.map((event) => event.type)).toEqual(['FACT', 'STEP']);
  });

  test('tok_contradict: declined first, so the approval after it is LATE', async () => {
    const orderId = await payWith('tok_contradict', 'LATE');
    expect((await world.paymentEvents(orderId)).map((event) => event.type)).toEqual([
      'PAYMENT_DECLINED',
      'PAYMENT_LATE',
    ]);
    expect(await world.close(orderId)).toEqual({ paymentOutcome: 'DECLINED' });
  });

  test('tok_late: approved a second after the void, so it is LATE and stays so', async () => {
    const orderId = uuidV7();
    await world.request(orderId, 'tok_late');
    expect(await world.close(orderId)).toEqual({ paymentOutcome: 'VOIDED' });
    await world.until(orderId, 'LATE');
    expect(await world.close(orderId, 'c2')).toEqual({ paymentOutcome: 'VOIDED' });
    await world.cancel(orderId);
    expect((await world.payment(orderId)).state).toBe('LATE');
    expect(await world.history(orderId)).toEqual(['PAYMENT_CREATED', 'PAYMENT_VOIDED', 'PAYMENT_LATE']);
    expect((await world.paymentEvents(orderId)).map((event) => event.type)).toEqual(['PAYMENT_LATE']);
  });

  test('tok_wrong_amount becomes a dead letter; closing gives the money back', async () => {
    const orderId = uuidV7();
    await world.request(orderId, 'tok_wrong_amount');
    const letters = await eventually('dead letter', async () => {
      const found = await world.deadLetters(orderId);
      return found.length > 0 && found;
    });
    expect(letters).toMatchObject([{ orderId, reason: { code: 'AMOUNT_MISMATCH' }, source: { topic: 'webhook' } }]);
    expect((await world.payment(orderId)).state).toBe('REQUESTED');
    expect(await world.close(orderId)).toEqual({ paymentOutcome: 'VOIDED' });
    expect((await world.payment(orderId)).state).toBe('REFUNDED');
    expect(await world.atProvider(orderId)).toMatchObject({ status: 'REFUNDED', refundedAmount: 201_00 });
  });
});

describe('The provider is away', () => {
  test('tok_flaky:2 fails twice as a passing fault, then is approved', async () => {
    const orderId = uuidV7();
    await expect(world.request(orderId, 'tok_flaky:2')).rejects.toBeInstanceOf(PassingFault);
    expect((await world.payment(orderId)).accepted).toBe(false);
    await expect(world.request(orderId, 'tok_flaky:2')).rejects.toBeInstanceOf(PassingFault);
    await world.request(orderId, 'tok_flaky:2');
    await world.until(orderId, 'APPROVED');
    expect((await world.history(orderId)).filter((state) => state === 'PAYMENT_CREATED')).toHaveLength(1);
  });

  test('tok_down never gets through; closing voids it in advance', async () => {
    const orderId = uuidV7();
    for (let attempt = 1; attempt <= 5; attempt += 1) {
      await expect(world.request(orderId, 'tok_down')).rejects.toMatchObject({ code: 'PROVIDER_UNAVAILABLE' });
    }
    expect(await world.history(orderId)).toEqual([]);
    expect(await world.close(orderId)).toEqual({ paymentOutcome: 'VOIDED' });
    expect(await world.atProvider(orderId)).toMatchObject({ status: 'VOIDED' });
  });
});

describe('Nobody decides', () => {
  test('tok_never waits until it is closed', async () => {
    const orderId = uuidV7();
    await world.request(orderId, 'tok_never');
    expect((await world.payment(orderId)).state).toBe('REQUESTED');
    expect(await world.close(orderId)).toEqual({ paymentOutcome: 'VOIDED' });
  });

  test.each(['APPROVED', 'DECLINED'] as const)('tok_manual waits for a person, who says %s', async (verdict) => {
    const orderId = uuidV7();
    await world.request(orderId, 'tok_manual');
    expect(await world.decide(orderId, verdict)).toBe(202);
    await world.until(orderId, verdict);
  });
});
