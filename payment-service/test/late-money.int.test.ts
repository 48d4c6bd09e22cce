/** Late money: accepted once or given back once, whichever process instance asks, and however often. */
import { setTimeout } from 'node:timers/promises';
import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import { v7 as uuidV7 } from 'uuid';
import { PassingFault, PermanentError } from '../../runtime/errors.ts';
import { createWorld, type World } from './world.ts';

let world: World;
beforeAll(async () => {
  world = await createWorld();
});
afterAll(() => world.stop());

/** A payment that was declined, and approved a second later. */
async function late(token = 'tok_contradict'): Promise<string> {
  const orderId = uuidV7();
  await world.request(orderId, token);
  await world.until(orderId, 'LATE');
  return orderId;
}

const refused = { code: 'PAYMENT_NOT_LATE' };
const ofAnother = { code: 'DUPLICATE_PROCESS' };
const refundCalls = async (orderId: string) => {
  const { id } = await world.payment(orderId);
  const { rows } = await world.database.admin.query<{ calls: number }>(
    'select coalesce(sum(calls), 0)::int as calls from provider.api_call where key = $1',
    [`refund:${id}`],
  );
  return rows[0]?.calls;
};
const expectRefundedOnce = async (orderId: string) => {
  expect((await world.payment(orderId)).state).toBe('REFUNDED');
  expect(await world.atProvider(orderId)).toMatchObject({ status: 'REFUNDED', refundedAmount: 200_00 });
  expect(await refundCalls(orderId)).toBe(1);
  expect((await world.history(orderId)).filter((state) => state === 'PAYMENT_REFUNDED')).toHaveLength(1);
};

describe('Accepting late money', () => {
  test('makes it count, once, however often the step runs', async () => {
    const orderId = await late();
    await world.accept(orderId);
    await world.accept(orderId);
    await world.accept(orderId, 'late', 'anew');
    expect((await world.payment(orderId)).state).toBe('APPROVED');
    expect((await world.history(orderId)).filter((state) => state === 'PAYMENT_COMPLETED')).toHaveLength(1);
    expect(await world.atProvider(orderId)).toMatchObject({ status: 'APPROVED', refundedAmount: 0 });
  });

  test('is refused to another process instance, and to one that comes after the refund', async () => {
    const accepted = await late();
    await world.accept(accepted, 'one');
    await expect(world.accept(accepted, 'other')).rejects.toMatchObject(refused);
    const returned = await late();
    await world.refund(returned, 'one');
    await expect(world.accept(returned, 'other')).rejects.toMatchObject(refused);
    await expect(world.accept(uuidV7())).rejects.toMatchObject(refused);
  });
});

describe('Giving late money back', () => {
  test('calls the provider once, however often and by whomever the step runs', async () => {
    const orderId = await late();
    await world.refund(orderId);
    await world.refund(orderId);
    await world.refund(orderId, 'other');
    await expectRefundedOnce(orderId);
  });

  test('works for what the same instance has accepted, when its order was not reinstated', async () => {
    const orderId = await late();
    await world.accept(orderId, 'one');
    await world.refund(orderId, 'one');
    await expectRefundedOnce(orderId);
  });

  test('leaves alone what another instance has accepted, and what came in time', async () => {
    const accepted = await late();
    await world.accept(accepted, 'one');
    await expect(world.refund(accepted, 'other')).rejects.toMatchObject(ofAnother);
    const inTime = uuidV7();
    await world.request(inTime, 'tok_approve');
    await world.until(inTime, 'APPROVED');
    await expect(world.refund(inTime)).rejects.toMatchObject(ofAnother);
    for (const orderId of [accepted, inTime]) {
      expect((await world.payment(orderId)).state).toBe('APPROVED');
      expect(await refundCalls(orderId)).toBe(0);
    }
  });

  test('is a case for a person where no money was taken: nobody may read that it was given back', async () => {
    const declined = uuidV7();
    await world.request(declined, 'tok_decline');
    await world.until(declined, 'DECLINED');
    const voided = uuidV7();
    await world.cancel(voided);
    for (const orderId of [declined, voided, uuidV7()]) {
      await expect(world.refund(orderId)).rejects.toBeInstanceOf(PermanentError);
      await expect(world.refund(orderId)).rejects.toMatchObject(refused);
    }
    expect(await world.history(declined)).not.toContain('PAYMENT_REFUNDED');
  });

  test('goes on where the provider refused it for a while', async () => {
    const orderId = await late('tok_late_refund_flaky:2');
    await expect(world.refund(orderId)).rejects.toBeInstanceOf(PassingFault);
    expect((await world.payment(orderId)).state).toBe('REFUNDING');
    await expect(world.refund(orderId)).rejects.toBeInstanceOf(PassingFault);
    await world.refund(orderId);
    expect((await world.payment(orderId)).state).toBe('REFUNDED');
    expect(await world.atProvider(orderId)).toMatchObject({ status: 'REFUNDED', refundedAmount: 200_00 });
  });
});

describe('An undo of the ended order that wakes up late', () => {
  test('takes nothing from the reinstated order; the refund of the order does', async () => {
    const orderId = await late();
    await world.accept(orderId);
    await world.cancel(orderId);
    expect((await world.close(orderId)).paymentOutcome).toBe('DECLINED');
    expect((await world.payment(orderId)).state).toBe('APPROVED');
    await world.cancel(orderId, 'refund', true);
    await expectRefundedOnce(orderId);
  });
});

test('one instance accepts while another gives back, many times: one of them alone has its way', async () => {
  const seen = { accepted: 0, refunded: 0 };
  for (let round = 0; round < 30; round += 1) {
    const orderId = uuidV7();
    await world.request(orderId, 'tok_never');
    await world.webhook({ ...world.approval(orderId), type: 'payment.declined', reason: 'no' });
    await world.webhook(world.approval(orderId));
    // At the provider too, or it would have nothing to give back.
    await world.database.admin.query(
      `update provider.payment set status = 'APPROVED', approved_amount = amount where reference = $1`,
      [(await world.payment(orderId)).id],
    );
    // From one well ahead of the other, over the tie, to the other well ahead: so both win sometimes on any machine.
    const ahead = ((round % 7) - 3) * 5;
    const [accepted, refunded] = await Promise.allSettled([
      setTimeout(Math.max(0, -ahead)).then(() => world.accept(orderId, 'one')),
      setTimeout(Math.max(0, ahead)).then(() => world.refund(orderId, 'other')),
    ]);
    if (accepted.status === 'fulfilled') {
      seen.accepted += 1;
      expect(refunded).toMatchObject({ status: 'rejected', reason: ofAnother });
      expect([(await world.payment(orderId)).state, await refundCalls(orderId)]).toEqual(['APPROVED', 0]);
    } else {
      seen.refunded += 1;
      expect(accepted).toMatchObject({ reason: refused });
      await expectRefundedOnce(orderId);
    }
  }
  expect(Math.min(seen.accepted, seen.refunded)).toBeGreaterThan(0);
});
