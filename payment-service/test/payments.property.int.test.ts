/** Random interleavings of all that can happen to a payment, on both sides of the line. */
import { afterAll, beforeAll, expect, test } from '@jest/globals';
import fc from 'fast-check';
import { propertySettings, propertyTimeoutMs } from '../../test/support/property.ts';
import { apply, asked, type Command, nothing } from './payment-model.ts';
import { command, openPayment } from './payment-scenario.ts';
import { createWorld, type World } from './world.ts';

let world: World;
beforeAll(async () => {
  world = await createWorld();
  await world.stopClockwork();
});
afterAll(() => world.stop());

type Payment = ReturnType<typeof openPayment>;
const begins: Command = { do: 'request', run: '1', fault: 'none' };

test(
  'one after the other, every command answers and leaves what the model says, and the books agree in the end',
  async () => {
    const all = fc.array(command, { maxLength: 16, size: 'max' });
    const property = fc.asyncProperty(fc.noBias(fc.tuple(fc.boolean(), all)), async ([usual, commands]) => {
      const [payment, model] = [openPayment(world), nothing()];
      for (const [at, one] of [...(usual ? [begins] : []), ...commands].entries()) {
        expect([at, one, await payment.perform(one)]).toEqual([at, one, apply(model, one)]);
        const { shop, history, told } = model;
        const provider = model.provider && { ...model.provider, requested: undefined, overruled: undefined };
        expect([one, await payment.state()]).toEqual([one, { shop, provider, history, told }]);
      }
      await expectBooksToAgree(payment);
    });
    await fc.assert(property, propertySettings(20));
  },
  propertyTimeoutMs,
);

test(
  'side by side, whoever wins, nobody pays twice, each fact is told once, and the books agree in the end',
  async () => {
    const rounds = fc.array(fc.array(command, { minLength: 1, maxLength: 4, size: 'max' }), {
      maxLength: 6,
      size: 'max',
    });
    const property = fc.asyncProperty(fc.noBias(rounds), async (all) => {
      const payment = openPayment(world);
      for (const round of [[begins], ...all]) await Promise.all(round.map((one) => payment.perform(one)));
      await expectBooksToAgree(payment);
    });
    await fc.assert(property, propertySettings(15));
  },
  propertyTimeoutMs,
);

/** When all that was under way has arrived and every step was repeated until it ended. */
async function expectBooksToAgree(payment: Payment): Promise<void> {
  // The provider repeats a webhook until it is heard: what was lost for a while comes in the end.
  const again = [0, 1, 2, 3].map((which): Command => ({ do: 'webhook', which, how: 'again' }));
  const last: Command[] = [{ do: 'provider acts' }, { do: 'deliver' }, { do: 'poll' }, ...again];
  for (const one of last) await payment.perform(one);
  const before = await payment.state();
  if (before.shop && before.shop.state !== 'APPROVED') {
    expect(await payment.perform({ do: 'close', run: 'last', fault: 'none' })).toMatch(/^(APPROVED|DECLINED|VOIDED)$/);
  }
  for (const one of last) await payment.perform(one);
  const { shop, provider, history, told } = await payment.state();
  const facts = { shop, provider, history, told };

  // Nothing is told twice, and not both that the payment is approved and that it is declined.
  expect([facts, history.length]).toEqual([facts, new Set(history).size]);
  expect([facts, told.length]).toEqual([facts, new Set(told).size]);
  expect([facts, told.includes('PAYMENT_APPROVED') && told.includes('PAYMENT_DECLINED')]).toEqual([facts, false]);

  // Another amount than was asked is no payment of this order: a dead letter asks a person what to do with it.
  const kept = provider?.status === 'APPROVED' && (await world.deadLetters(payment.orderId)).length === 0;
  switch (shop?.state) {
    case 'APPROVED':
    case 'LATE':
      if (shop.source === 'provider')
        expect(facts).toMatchObject({ provider: { status: 'APPROVED', approved: asked } });
      break;
    case 'REFUNDED':
    case 'VOIDED':
    case 'DECLINED':
    case undefined:
      expect([facts, kept]).toEqual([facts, false]);
      break;
    default:
      throw new Error(`It has not ended: ${JSON.stringify(facts)}`);
  }
}
