/** Settling our books with the provider's, over HTTP at the real simulator; what is wrong is put in by SQL. */
import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import { v7 as uuidV7 } from 'uuid';
import { z } from 'zod';
import { paymentIdOf } from '../payment-id.ts';
import { createWorld, inMinutes, type World } from './world.ts';

let world: World;
beforeAll(async () => {
  world = await createWorld();
});
afterAll(() => world.stop());

const answer = z.object({ state: z.string(), done: z.string(), code: z.string(), detail: z.string() }).partial();

async function settle(orderId: string, id = paymentIdOf(orderId)) {
  const address = `${world.paymentUrl}/reconciliation/payments/${id}/settle`;
  const response = await fetch(address, { method: 'POST', headers: world.operator });
  return { status: response.status, ...answer.parse(await response.json()) };
}

const giveBack = (orderId: string) =>
  fetch(`${world.paymentUrl}/reconciliation/payments/${paymentIdOf(orderId)}/return`, {
    method: 'POST',
    headers: world.operator,
  });

/** A payment that has come to `state` by the ordinary way of its token. */
async function payment(
  token: string,
  state: 'REQUESTED' | 'APPROVED' | 'DECLINED' | 'VOIDED' | 'LATE',
): Promise<string> {
  const orderId = uuidV7();
  await world.request(orderId, token);
  if (state === 'VOIDED') await world.close(orderId);
  await world.until(orderId, state);
  return orderId;
}

/** The provider's books change behind our back. */
const atProvider = (orderId: string, set: string) =>
  world.database.admin.query(`update provider.payment set ${set} where reference = $1`, [paymentIdOf(orderId)]);
const forget = async (orderId: string) => {
  const [of, reference] = ['(select id from provider.payment where reference = $1)', [paymentIdOf(orderId)]];
  for (const table of ['decision', 'webhook'])
    await world.database.admin.query(`delete from provider.${table} where payment_id in ${of}`, reference);
  await world.database.admin.query('delete from provider.payment where reference = $1', reference);
};
const calls = async (orderId: string, key: string) => {
  const { rows } = await world.database.admin.query<{ calls: number }>(
    'select coalesce(sum(calls), 0)::int as calls from provider.api_call where key = $1',
    [`${key}:${paymentIdOf(orderId)}`],
  );
  return rows[0]?.calls;
};
const times = async (orderId: string, fact: string) =>
  (await world.history(orderId)).filter((state) => state === fact).length;

const other = 'approved_amount = 21000';
const stale = { status: 409, code: 'STALE_ACTION' };

describe('Another amount than was asked', () => {
  test.each(['DECLINED', 'VOIDED'] as const)('approved after the payment was %s goes back, once', async (ended) => {
    const orderId = await payment(ended === 'DECLINED' ? 'tok_decline' : 'tok_never', ended);
    await atProvider(orderId, `status = 'APPROVED', ${other}`);
    // By webhook it is only a dead letter.
    expect((await world.webhook(world.approval(orderId, { amount: 210_00 }))).result).toBe('amount-mismatch');
    expect(await settle(orderId)).toEqual({ status: 200, state: 'REFUNDED', done: 'given back' });
    expect(await settle(orderId)).toMatchObject(stale);
    expect(await world.atProvider(orderId)).toMatchObject({ status: 'REFUNDED', refundedAmount: 210_00 });
    expect([await calls(orderId, 'refund'), await calls(orderId, 'settle-refund')]).toEqual([1, 0]);
    expect(await times(orderId, 'PAYMENT_REFUNDED')).toBe(1);
    // What the process is told of how the payment ended has not changed.
    expect((await world.close(orderId)).paymentOutcome).toBe(ended);
  });

  test('approved while we wait for the answer goes back', async () => {
    const orderId = await payment('tok_never', 'REQUESTED');
    await atProvider(orderId, `status = 'APPROVED', ${other}`);
    expect(await settle(orderId)).toEqual({ status: 200, state: 'REFUNDED', done: 'voided' });
    expect(await world.atProvider(orderId)).toMatchObject({ status: 'REFUNDED', refundedAmount: 210_00 });
  });

  test('taken for an approved payment goes back, all of it', async () => {
    const orderId = await payment('tok_approve', 'APPROVED');
    await atProvider(orderId, other);
    expect(await settle(orderId)).toEqual({ status: 200, state: 'REFUNDED', done: 'given back' });
    expect(await world.atProvider(orderId)).toMatchObject({ status: 'REFUNDED', refundedAmount: 210_00 });
  });

  test('is given back once when two settle it at once', async () => {
    for (let round = 0; round < 10; round += 1) {
      const orderId = await payment('tok_decline', 'DECLINED');
      await atProvider(orderId, `status = 'APPROVED', ${other}`);
      const both = await Promise.all([settle(orderId), settle(orderId)]);
      expect(both.map(({ status }) => status)).toContain(200);
      for (const one of both) expect([200, 409]).toContain(one.status);
      expect(await world.atProvider(orderId)).toMatchObject({ status: 'REFUNDED', refundedAmount: 210_00 });
      expect(await times(orderId, 'PAYMENT_REFUNDED')).toBe(1);
      expect((await world.payment(orderId)).state).toBe('REFUNDED');
    }
  });
});

test('Settling, webhooks, the undo and the refund of late money meet: the money goes back once, and the books agree', async () => {
  for (let round = 0; round < 25; round += 1) {
    const orderId = await payment('tok_manual', 'REQUESTED');
    const taken = round % 2 === 0 ? 200_00 : 210_00;
    await atProvider(orderId, `status = 'APPROVED', approved_amount = ${taken}`);
    const approval = () => world.webhook(world.approval(orderId, { amount: taken }));
    const all = [
      () => settle(orderId),
      () => world.cancel(orderId),
      approval,
      () => settle(orderId),
      () => giveBack(orderId),
    ];
    const turn = round % all.length;
    await Promise.allSettled([...all.slice(turn), ...all.slice(0, turn)].map((act) => act()));
    await Promise.allSettled([world.cancel(orderId), world.refund(orderId)]); // as the process does in the end
    expect(await settle(orderId)).toMatchObject(stale);
    const { state } = await world.payment(orderId);
    const { status, refundedAmount } = (await world.atProvider(orderId)) ?? {};
    expect({ state, status, refundedAmount }).toEqual({ state: 'REFUNDED', status: 'REFUNDED', refundedAmount: taken });
    const history = await world.history(orderId);
    expect(new Set(history).size).toBe(history.length);
  }
});

describe('A payment that ended without money', () => {
  test('is voided at the provider where it is still open, and is not approved later', async () => {
    const orderId = await payment('tok_decline', 'DECLINED');
    await atProvider(orderId, `status = 'PENDING'`);
    expect(await settle(orderId)).toEqual({ status: 200, state: 'DECLINED', done: 'voided at the provider' });
    expect(await settle(orderId)).toMatchObject(stale);
    await world.decide(orderId, 'APPROVED');
    expect(await world.atProvider(orderId)).toMatchObject({ status: 'VOIDED' });
  });

  test('was refunded here and not there: it goes back under a key of its own, and the customer reads it once', async () => {
    const orderId = await payment('tok_approve', 'APPROVED');
    await world.cancel(orderId);
    await atProvider(orderId, `status = 'APPROVED', refunded_amount = 0`);
    expect(await settle(orderId)).toEqual({ status: 200, state: 'REFUNDED', done: 'refunded at the provider' });
    expect(await settle(orderId)).toMatchObject(stale);
    expect(await world.atProvider(orderId)).toMatchObject({ status: 'REFUNDED', refundedAmount: 200_00 });
    expect([await calls(orderId, 'refund'), await calls(orderId, 'settle-refund')]).toEqual([1, 1]);
    expect(await times(orderId, 'PAYMENT_REFUNDED')).toBe(1);
  });

  test('becomes late money where the provider took what was asked: the policy for that decides', async () => {
    const orderId = await payment('tok_decline', 'DECLINED');
    await atProvider(orderId, `status = 'APPROVED', approved_amount = amount`);
    const done = 'booked what the provider decided';
    expect(await settle(orderId)).toEqual({ status: 200, state: 'LATE', done });
    expect((await world.paymentEvents(orderId)).at(-1)).toMatchObject({ type: 'PAYMENT_LATE' });
    expect(await calls(orderId, 'settle-refund')).toBe(0);
  });
});

describe('A payment that the provider has no money of', () => {
  test.each([
    ['DECLINED', 'PAYMENT_FAILED'],
    ['VOIDED', 'PAYMENT_VOIDED'],
    ['REFUNDED', 'PAYMENT_REFUNDED'],
  ])('is %s here as it is there, and its order reads so', async (state, fact) => {
    const orderId = await payment('tok_approve', 'APPROVED');
    await atProvider(orderId, `status = '${state}'`);
    expect(await settle(orderId)).toEqual({ status: 200, state, done: 'set to what the provider says' });
    expect(await settle(orderId)).toMatchObject(stale);
    expect((await world.stepEvents(orderId)).at(-1)).toMatchObject({ history: [fact], payment: { state } });
    expect(await calls(orderId, 'settle-refund')).toBe(0);
  });

  test('and that ended so before its late approval is not told so twice, but its order knows', async () => {
    const orderId = await payment('tok_contradict', 'LATE');
    await atProvider(orderId, `status = 'DECLINED'`);
    expect(await settle(orderId)).toMatchObject({ status: 200, state: 'DECLINED' });
    expect(await times(orderId, 'PAYMENT_FAILED')).toBe(1);
    expect((await world.stepEvents(orderId)).at(-1)).toMatchObject({ payment: { state: 'DECLINED' } });
  });

  test('is voided where the provider does not know it: it cannot come back', async () => {
    const orderId = await payment('tok_approve', 'APPROVED');
    await forget(orderId);
    const done = 'voided at the provider, set to what the provider says';
    expect(await settle(orderId)).toEqual({ status: 200, state: 'VOIDED', done });
    expect(await settle(orderId)).toMatchObject(stale);
    expect(await world.atProvider(orderId)).toMatchObject({ status: 'VOIDED' });
  });

  test('ends as the provider says also when it is about to be refunded, and the stuck step then ends', async () => {
    const orderId = await payment('tok_approve', 'APPROVED');
    await atProvider(orderId, `status = 'DECLINED'`);
    await expect(world.cancel(orderId)).rejects.toMatchObject({ code: 'PROVIDER_DISAGREES' });
    expect(await settle(orderId)).toMatchObject({ status: 200, state: 'DECLINED' });
    await world.cancel(orderId);
    expect((await world.payment(orderId)).state).toBe('DECLINED');
  });

  test('and that was approved by hand is left alone: the provider need not know of it', async () => {
    const orderId = await payment('tok_manual', 'REQUESTED');
    await world.database.admin.query(
      `update payments.payment set state = 'APPROVED', source = 'manual' where order_id = $1`,
      [orderId],
    );
    expect(await settle(orderId)).toMatchObject(stale);
    expect(await world.atProvider(orderId)).toMatchObject({ status: 'PENDING' });
  });
});

describe('A request that the provider does not know', () => {
  test('is sent again under its own key, and decided', async () => {
    const orderId = await payment('tok_manual', 'REQUESTED');
    await forget(orderId);
    expect(await settle(orderId)).toEqual({ status: 200, state: 'REQUESTED', done: 'requested again' });
    expect(await settle(orderId)).toMatchObject(stale);
    expect(await calls(orderId, 'pay')).toBe(2);
    await world.decide(orderId, 'APPROVED');
    await world.until(orderId, 'APPROVED');
    expect(await times(orderId, 'PAYMENT_CREATED')).toBe(1);
  });

  test('is voided when the time to pay is over', async () => {
    const orderId = await payment('tok_manual', 'REQUESTED');
    await forget(orderId);
    await world.database.admin.query('update payments.payment set pay_by = $2 where order_id = $1', [
      orderId,
      inMinutes(-1),
    ]);
    expect(await settle(orderId)).toEqual({ status: 200, state: 'VOIDED', done: 'voided' });
    expect(await world.atProvider(orderId)).toMatchObject({ status: 'VOIDED' });
  });
});

describe('Settling', () => {
  test('is refused where the books agree, and changes nothing', async () => {
    const orderId = await payment('tok_approve', 'APPROVED');
    const before = await world.payment(orderId);
    const answered = await settle(orderId);
    expect(answered).toMatchObject({ ...stale, detail: 'The payment is APPROVED: the books agree.' });
    expect(await world.payment(orderId)).toEqual(before);
  });

  test('says so when the provider is away, and goes on later', async () => {
    const orderId = await payment('tok_refund_flaky:1', 'APPROVED');
    await atProvider(orderId, other);
    expect(await settle(orderId)).toMatchObject({ status: 503, code: 'DEPENDENCY_UNAVAILABLE' });
    expect((await world.payment(orderId)).state).toBe('REFUNDING');
    expect(await settle(orderId)).toMatchObject({ status: 200, state: 'REFUNDED', done: 'ended what was begun' });
    expect(await world.atProvider(orderId)).toMatchObject({ status: 'REFUNDED', refundedAmount: 210_00 });
    expect(await times(orderId, 'PAYMENT_REFUNDED')).toBe(1);
  });

  test('knows no payment of such an id', async () => {
    const unknown = { status: 404, code: 'PAYMENT_NOT_FOUND' };
    for (const id of [uuidV7(), 'nonsense', '%00', '..%2F..%2Fx']) expect(await settle('', id)).toMatchObject(unknown);
  });

  test('is for operators', async () => {
    const address = `${world.paymentUrl}/reconciliation/payments/${uuidV7()}/settle`;
    expect((await fetch(address, { method: 'POST' })).status).toBe(401);
  });
});
