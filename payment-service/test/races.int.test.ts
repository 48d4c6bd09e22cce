/** Approval and void at the same moment, many times: the row decides once, and everybody is told the same. */
import { afterAll, beforeAll, expect, test } from '@jest/globals';
import { v7 as uuidV7 } from 'uuid';
import { createWorld, type World } from './world.ts';

let world: World;
beforeAll(async () => {
  world = await createWorld();
});
afterAll(() => world.stop());

const many = Array.from({ length: 40 }, (_, index) => index);

/** Runs `race` for many orders, a few at once. */
async function repeat(race: (orderId: string, index: number) => Promise<void>, times = many.length): Promise<void> {
  const left = Array.from({ length: times }, (_, index) => index);
  const lane = async () => {
    for (let index = left.shift(); index !== undefined; index = left.shift()) await race(uuidV7(), index);
  };
  await Promise.all([lane(), lane(), lane(), lane()]);
}

test('a person approves while the payment is closed: shop and provider agree, whoever was first', async () => {
  await repeat(async (orderId, index) => {
    await world.request(orderId, 'tok_manual');
    const [first, second] = [() => world.decide(orderId, 'APPROVED'), () => world.close(orderId)];
    await Promise.all(index % 2 ? [first(), second()] : [second(), first()]);
    const { paymentOutcome } = await world.close(orderId, 'again');
    expect((await world.atProvider(orderId))?.status).toBe(paymentOutcome);
    expect((await world.payment(orderId)).state).toBe(paymentOutcome);
  });
});

test('an approval arrives while the payment is closed: it is in time or LATE, never both', async () => {
  const seen = { APPROVED: 0, LATE: 0 };
  await repeat(async (orderId, index) => {
    await world.request(orderId, 'tok_never');
    const approve = () => world.webhook(world.approval(orderId));
    const [closed, heard] = await Promise.all([
      index % 2 ? world.close(orderId) : approve().then(() => world.close(orderId)),
      index % 2 ? approve() : undefined,
    ]);
    if (heard) expect(heard.status).toBe(200);
    const { state } = await world.payment(orderId);
    const told = (await world.paymentEvents(orderId)).map((event) => event.type);
    if (closed.paymentOutcome === 'APPROVED') {
      seen.APPROVED += 1;
      expect([state, told]).toEqual(['APPROVED', ['PAYMENT_APPROVED']]);
    } else {
      seen.LATE += 1;
      expect([closed.paymentOutcome, state, told]).toEqual(['VOIDED', 'LATE', ['PAYMENT_LATE']]);
    }
  });
  expect(seen.APPROVED).toBeGreaterThanOrEqual(20);
});

test('the tie, two hundred times: approval and void, or approval and decline, at one moment; one of them is first', async () => {
  const seen = { inTime: 0, late: 0 };
  const after = (ms: number, act: () => Promise<unknown>) => new Promise((go) => setTimeout(go, ms)).then(act);
  await repeat(async (orderId, index) => {
    await world.request(orderId, 'tok_never');
    const decline = { ...world.approval(orderId), type: 'payment.declined', reason: 'no' };
    const other = index % 4 === 0 ? () => world.webhook(decline) : () => world.close(orderId);
    // From both sides: now one, now the other has a start of some milliseconds.
    const start = (index % 11) - 4;
    await Promise.all([
      after(Math.max(0, start), () => world.webhook(world.approval(orderId))),
      after(Math.max(0, -start), other),
    ]);
    const told = (await world.paymentEvents(orderId)).map(({ type }) => type).filter((it) => it !== 'PAYMENT_DECLINED');
    const { state } = await world.payment(orderId);
    expect([state, told]).toEqual(state === 'LATE' ? ['LATE', ['PAYMENT_LATE']] : ['APPROVED', ['PAYMENT_APPROVED']]);
    seen[state === 'LATE' ? 'late' : 'inTime'] += 1;
    // The process hears the same, when it asks and when it undoes.
    const { paymentOutcome } = await world.close(orderId, 'again');
    expect(paymentOutcome === 'APPROVED').toBe(state === 'APPROVED');
  }, 200);
  expect(Math.min(seen.inTime, seen.late)).toBeGreaterThan(10);
}, 240_000);

test('an approval arrives while the order is cancelled: refunded, or LATE, and told once', async () => {
  await repeat(async (orderId) => {
    await world.request(orderId, 'tok_never');
    const approval = world.approval(orderId);
    await Promise.all([world.webhook(approval), world.webhook(approval), world.cancel(orderId).catch(refusedRefund)]);
    const told = (await world.paymentEvents(orderId)).map((event) => event.type);
    const { state } = await world.payment(orderId);
    // The webhook was written by hand: the provider itself has nothing to give back, and says so.
    expect([state, told]).toEqual(state === 'LATE' ? ['LATE', ['PAYMENT_LATE']] : ['REFUNDING', ['PAYMENT_APPROVED']]);
  });
});

function refusedRefund(error: unknown): void {
  expect(error).toMatchObject({ code: 'PROVIDER_DISAGREES' });
}

test('the same webhook many times at once is booked once', async () => {
  const orderId = uuidV7();
  await world.request(orderId, 'tok_never');
  const approval = world.approval(orderId);
  const answers = await Promise.all(many.map(() => world.webhook(approval)));
  expect(new Set(answers.map((answer) => answer.status))).toEqual(new Set([200]));
  expect(answers.filter((answer) => answer.result === 'booked')).toHaveLength(1);
  expect(await world.paymentEvents(orderId)).toHaveLength(1);
});

test('an approval and a decline at once: one of them counts', async () => {
  await repeat(async (orderId) => {
    await world.request(orderId, 'tok_never');
    const decline = { ...world.approval(orderId), type: 'payment.declined', reason: 'no' };
    await Promise.all([world.webhook(world.approval(orderId)), world.webhook(decline)]);
    const told = (await world.paymentEvents(orderId)).map((event) => event.type);
    const { state } = await world.payment(orderId);
    expect([state, told]).toEqual(
      state === 'APPROVED' ? ['APPROVED', ['PAYMENT_APPROVED']] : ['LATE', ['PAYMENT_DECLINED', 'PAYMENT_LATE']],
    );
  });
});
