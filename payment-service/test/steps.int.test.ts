/** Each step run twice, and run after the payment has moved on: it answers what is true and calls nobody. */
import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import { v7 as uuidV7 } from 'uuid';
import { change } from '../change.ts';
import { startRefund, startVoid } from '../moves.ts';
import { jobs } from '../../contract/jobs.ts';
import { PassingFault } from '../../runtime/errors.ts';
import { createWorld, inMinutes, type World } from './world.ts';

let world: World;
beforeAll(async () => {
  world = await createWorld();
});
afterAll(() => world.stop());

async function requested(token = 'tok_never'): Promise<string> {
  const orderId = uuidV7();
  await world.request(orderId, token);
  return orderId;
}

async function approved(): Promise<string> {
  const orderId = await requested('tok_approve');
  await world.until(orderId, 'APPROVED');
  return orderId;
}

async function declined(): Promise<string> {
  const orderId = await requested('tok_decline');
  await world.until(orderId, 'DECLINED');
  return orderId;
}

const callsOf = async (orderId: string) => (await world.atProvider(orderId))?.calls;

describe('Requesting a payment', () => {
  test('twice calls the provider once and is told once', async () => {
    const orderId = await requested();
    await world.request(orderId, 'tok_never');
    await world.request(orderId, 'tok_never', { run: 'anew' });
    expect(await callsOf(orderId)).toBe(1);
    expect(await world.history(orderId)).toEqual(['PAYMENT_CREATED']);
    const events = await world.stepEvents(orderId);
    expect(events).toMatchObject([
      { elementId: 'RequestPayment', state: 'COMPLETED', payment: { state: 'REQUESTED' } },
      { elementId: 'RequestPayment', state: 'COMPLETED' },
    ]);
  });

  test('twice at once is one payment at the provider', async () => {
    const orderId = uuidV7();
    await Promise.all([1, 2, 3].map(() => world.request(orderId, 'tok_never')));
    expect(await world.history(orderId)).toEqual(['PAYMENT_CREATED']);
    expect(await world.atProvider(orderId)).toMatchObject({ status: 'PENDING' });
  });

  test('after the time to pay makes no call and no payment, and completes', async () => {
    const orderId = uuidV7();
    await world.request(orderId, null, { payBy: inMinutes(-1) });
    await expect(world.payment(orderId)).rejects.toThrow('no payment');
    expect(await world.stepEvents(orderId)).toMatchObject([{ state: 'COMPLETED' }]);
    expect(await world.history(orderId)).toEqual([]);
  });

  test('again after the time to pay ran out between its tries makes no call', async () => {
    const orderId = uuidV7();
    await expect(world.request(orderId, 'tok_flaky:1')).rejects.toBeInstanceOf(PassingFault);
    await world.database.admin.query(`update payments.payment set pay_by = now() where order_id = $1`, [orderId]);
    await world.request(orderId, 'tok_flaky:1');
    expect(await world.atProvider(orderId)).toBeUndefined();
  });

  test.each([
    ['APPROVED', approved],
    ['DECLINED', declined],
  ])('after it was %s makes no call', async (state, make) => {
    const orderId = await make();
    await world.request(orderId, 'tok_approve', { run: 'anew' });
    expect(await callsOf(orderId)).toBe(1);
    expect((await world.payment(orderId)).state).toBe(state);
  });

  test('after it was voided makes no call', async () => {
    const orderId = await requested();
    await world.close(orderId);
    await world.request(orderId, 'tok_approve', { run: 'anew' });
    expect(await callsOf(orderId)).toBe(2);
    expect((await world.payment(orderId)).state).toBe('VOIDED');
  });

  test('after a cancel that came first is refused by its tombstone', async () => {
    const orderId = uuidV7();
    await world.cancel(orderId);
    await world.request(orderId, 'tok_approve');
    expect((await world.payment(orderId)).state).toBe('VOIDED');
    expect(await world.atProvider(orderId)).toBeUndefined();
    expect(await world.history(orderId)).toEqual([]);
  });
});

describe('Closing a payment', () => {
  test('that nobody decided voids it, once however often it runs', async () => {
    const orderId = await requested();
    expect(await world.close(orderId)).toEqual({ paymentOutcome: 'VOIDED' });
    expect(await world.close(orderId)).toEqual({ paymentOutcome: 'VOIDED' });
    expect(await world.close(orderId, 'anew')).toEqual({ paymentOutcome: 'VOIDED' });
    expect(await callsOf(orderId)).toBe(2);
    expect(await world.history(orderId)).toEqual(['PAYMENT_CREATED', 'PAYMENT_VOIDED']);
  });

  test.each([
    ['APPROVED', approved],
    ['DECLINED', declined],
  ])('that was %s says so and calls nobody', async (state, make) => {
    const orderId = await make();
    expect(await world.close(orderId)).toEqual({ paymentOutcome: state });
    expect(await callsOf(orderId)).toBe(1);
  });

  test('that nobody knows leaves a tombstone', async () => {
    const orderId = uuidV7();
    expect(await world.close(orderId)).toEqual({ paymentOutcome: 'VOIDED' });
    expect((await world.payment(orderId)).state).toBe('VOIDED');
  });

  test.each(['APPROVED', 'DECLINED'] as const)(
    'learns by asking that it was %s when the webhook is lost',
    async (state) => {
      const orderId = await requested(state === 'APPROVED' ? 'tok_approve' : 'tok_decline');
      await world.until(orderId, state);
      // As if the webhook had never come.
      await world.database.admin.query(`delete from payments.outbox where key = $1`, [orderId]);
      await world.database.admin.query(
        `update payments.payment set state = 'REQUESTED', decline_reason = null where order_id = $1`,
        [orderId],
      );
      expect(await world.close(orderId)).toEqual({ paymentOutcome: state });
      expect(await world.history(orderId)).toEqual([state === 'APPROVED' ? 'PAYMENT_COMPLETED' : 'PAYMENT_FAILED']);
      expect(await world.stepEvents(orderId)).toMatchObject([{ elementId: 'ClosePayment', payment: { state } }]);
      expect(await world.paymentEvents(orderId)).toMatchObject([{ type: `PAYMENT_${state}` }]);
    },
  );

  test('goes on where a crash left it', async () => {
    const orderId = await requested();
    await change(world.parts, await world.payment(orderId), startVoid);
    expect(await world.close(orderId)).toEqual({ paymentOutcome: 'VOIDED' });
  });
});

describe('Cancelling a payment', () => {
  test('that is open voids it, once however often it runs', async () => {
    const orderId = await requested();
    await world.cancel(orderId);
    await world.cancel(orderId);
    await world.cancel(orderId, 'anew');
    expect(await callsOf(orderId)).toBe(2);
    expect(await world.history(orderId)).toEqual(['PAYMENT_CREATED', 'PAYMENT_VOIDED']);
    expect((await world.payment(orderId)).state).toBe('VOIDED');
  });

  test('that is approved gives the money back, once however often it runs', async () => {
    const orderId = await approved();
    await Promise.all([world.cancel(orderId), world.cancel(orderId), world.cancel(orderId, 'anew')]);
    await world.cancel(orderId);
    expect(await world.atProvider(orderId)).toMatchObject({ status: 'REFUNDED', refundedAmount: 200_00 });
    expect((await world.history(orderId)).filter((state) => state === 'PAYMENT_REFUNDED')).toHaveLength(1);
    expect((await world.payment(orderId)).state).toBe('REFUNDED');
    expect(await world.close(orderId)).toEqual({ paymentOutcome: 'VOIDED' });
  });

  test('that was declined does nothing', async () => {
    const orderId = await declined();
    await world.cancel(orderId);
    expect((await world.payment(orderId)).state).toBe('DECLINED');
    expect(await callsOf(orderId)).toBe(1);
  });

  test('after a crash in the middle of a refund goes on with it', async () => {
    const orderId = await approved();
    await change(world.parts, await world.payment(orderId), startRefund);
    await world.cancel(orderId);
    expect((await world.payment(orderId)).state).toBe('REFUNDED');
    expect((await world.stepEvents(orderId)).at(-1)).toMatchObject({
      elementId: 'CancelPayment',
      state: 'COMPLETED',
      history: ['PAYMENT_REFUNDED'],
      undo: jobs.cancelPayment.undo,
    });
  });

  test('whose request never got through voids it in advance at the provider', async () => {
    const orderId = uuidV7();
    await expect(world.request(orderId, 'tok_flaky:1')).rejects.toBeInstanceOf(PassingFault);
    await world.cancel(orderId);
    await world.request(orderId, 'tok_flaky:1');
    expect(await world.atProvider(orderId)).toMatchObject({ status: 'VOIDED', approvedAmount: null });
  });
});
