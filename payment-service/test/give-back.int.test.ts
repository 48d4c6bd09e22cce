/** Money that belongs to nothing goes back, over HTTP at the real simulator. */
import { randomUUID } from 'node:crypto';
import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import { v7 as uuidV7 } from 'uuid';
import { z } from 'zod';
import type { PaymentState } from '../../contract/states.ts';
import { factNoted } from '../../contract/topics.ts';
import { paymentIdOf } from '../payment-id.ts';
import { createWorld, type World } from './world.ts';

let world: World;
beforeAll(async () => {
  world = await createWorld();
});
afterAll(() => world.stop());

const answer = z.object({ state: z.string(), status: z.string().or(z.int()), code: z.string() }).partial();

async function post(path: string) {
  const address = `${world.paymentUrl}/reconciliation/${path}`;
  const response = await fetch(address, { method: 'POST', headers: world.operator });
  return { http: response.status, ...answer.parse(await response.json()) };
}
const giveBack = (orderId: string) => post(`payments/${paymentIdOf(orderId)}/return`);
const giveBackUnknown = (reference: string) => post(`provider-payments/${encodeURIComponent(reference)}/return`);

async function payment(token: string, state: PaymentState): Promise<string> {
  const orderId = uuidV7();
  await world.request(orderId, token);
  await world.until(orderId, state);
  return orderId;
}
const atProvider = async (reference: string) => {
  const { rows } = await world.database.admin.query<{ status: string; refunded: number; calls: number }>(
    `select status, refunded_amount as refunded, (select coalesce(sum(calls), 0)::int from provider.api_call
       where key like 'return-%:' || reference) as calls from provider.payment where reference = $1`,
    [reference],
  );
  return rows[0];
};

describe('A payment of no order', () => {
  test.each([
    ['tok_approve', 'APPROVED', 'REFUNDED', { status: 'REFUNDED', refundedAmount: 200_00 }],
    ['tok_contradict', 'LATE', 'REFUNDED', { status: 'REFUNDED', refundedAmount: 200_00 }],
    ['tok_never', 'REQUESTED', 'VOIDED', { status: 'VOIDED', refundedAmount: 0 }],
    ['tok_decline', 'DECLINED', 'DECLINED', { status: 'DECLINED', refundedAmount: 0 }],
  ] as const)('(%s) that is %s ends %s, once, however often it is asked for', async (token, from, to, there) => {
    const orderId = await payment(token, from);
    expect(await giveBack(orderId)).toEqual({ http: 200, state: to });
    expect(await giveBack(orderId)).toEqual({ http: 200, state: to });
    expect(await world.atProvider(orderId)).toMatchObject(there);
    const history = await world.history(orderId);
    expect(new Set(history).size).toBe(history.length);
  });

  test('goes back once when two ask for it at once, and is told as a repair, which may have no order', async () => {
    for (let round = 0; round < 10; round += 1) {
      const orderId = await payment('tok_approve', 'APPROVED');
      const both = await Promise.all([giveBack(orderId), giveBack(orderId)]);
      expect(both).toEqual([1, 2].map(() => ({ http: 200, state: 'REFUNDED' })));
      expect(await world.atProvider(orderId)).toMatchObject({ status: 'REFUNDED', refundedAmount: 200_00 });
      const told = (await world.stepEvents(orderId)).filter(({ history }) => history?.includes('PAYMENT_REFUNDED'));
      expect(told).toHaveLength(1);
      expect(factNoted.parse(told[0]).repair).toBe(true);
    }
  });

  test('ends as the provider says where that has no money of it', async () => {
    const orderId = await payment('tok_approve', 'APPROVED');
    await world.database.admin.query(`update provider.payment set status = 'VOIDED' where reference = $1`, [
      paymentIdOf(orderId),
    ]);
    expect(await giveBack(orderId)).toEqual({ http: 200, state: 'VOIDED' });
  });

  test('goes on after the provider was away', async () => {
    const orderId = await payment('tok_refund_flaky:1', 'APPROVED');
    expect(await giveBack(orderId)).toMatchObject({ http: 503, code: 'DEPENDENCY_UNAVAILABLE' });
    expect(await giveBack(orderId)).toEqual({ http: 200, state: 'REFUNDED' });
  });

  test('must be one: another id is not found', async () => {
    for (const id of [uuidV7(), 'x', '%20'])
      expect(await post(`payments/${id}/return`)).toMatchObject({ http: 404, code: 'PAYMENT_NOT_FOUND' });
  });
});

describe('What the provider has and we do not know', () => {
  async function unknown(status: string): Promise<string> {
    const reference = randomUUID();
    await world.database.admin.query(
      `insert into provider.payment (id, reference, amount, currency, status, approved_amount)
       values ($1, $2, 5, 'GBP', $3, case when $3 in ('APPROVED', 'REFUNDED') then 5 end)`,
      [uuidV7(), reference, status],
    );
    return reference;
  }

  test.each([
    ['PENDING', 'VOIDED', 0, 1],
    ['APPROVED', 'REFUNDED', 5, 1],
    ['DECLINED', 'DECLINED', 0, 0],
    ['VOIDED', 'VOIDED', 0, 0],
  ])('and is %s becomes %s, once', async (from, to, refunded, calls) => {
    const reference = await unknown(from);
    for (const _ of [1, 2]) expect(await giveBackUnknown(reference)).toEqual({ http: 200, status: to });
    expect(await atProvider(reference)).toEqual({ status: to, refunded, calls });
  });

  test('goes back once when two ask for it at once', async () => {
    const reference = await unknown('APPROVED');
    const both = await Promise.all([giveBackUnknown(reference), giveBackUnknown(reference)]);
    expect(both).toEqual([1, 2].map(() => ({ http: 200, status: 'REFUNDED' })));
    expect(await atProvider(reference)).toMatchObject({ status: 'REFUNDED', refunded: 5 });
  });

  test('is left alone when it is ours', async () => {
    const orderId = await payment('tok_approve', 'APPROVED');
    const refused = { http: 409, code: 'ACTION_NOT_POSSIBLE' };
    expect(await giveBackUnknown(paymentIdOf(orderId))).toMatchObject(refused);
    expect(await world.atProvider(orderId)).toMatchObject({ status: 'APPROVED', refundedAmount: 0 });
  });

  test('must be there: what no payment could be called is not found, wherever it would lead', async () => {
    const notFound = { http: 404, code: 'PAYMENT_NOT_FOUND' };
    for (const reference of [randomUUID(), '..', '.', 'a/b', '../totals', 'a?b#c', 'ü', 'x'.repeat(101)]) {
      const got = await giveBackUnknown(reference);
      // A lone dot never arrives: the client's address has folded it away.
      if (reference === '.' || reference === '..') expect(got.http).toBe(404);
      else expect(got).toMatchObject(notFound);
    }
  });
});
