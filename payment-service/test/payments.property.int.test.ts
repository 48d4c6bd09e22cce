/** Random interleavings of all that can happen to a payment, on both sides of the line. */
import { afterAll, beforeAll, expect, test } from '@jest/globals';
import fc from 'fast-check';
import { propertySettings, propertyTimeoutMs } from '../../test/support/property.ts';
import { sideBySide } from '../../test/support/side-by-side.ts';
import { asked, beginnings, type Command, command, lateCommand } from './payment-commands.ts';
import { apply, nothing } from './payment-model.ts';
import { openPayment } from './payment-scenario.ts';
import { createWorld, type World } from './world.ts';

let world: World;
beforeAll(async () => {
  world = await createWorld();
  await world.stopClockwork();
});
afterAll(() => world.stop());

type Payment = ReturnType<typeof openPayment>;
type State = Awaited<ReturnType<Payment['state']>>;
const { requested, late, lateAgain } = beginnings;
const rounds = (of: fc.Arbitrary<Command>, maxLength: number) =>
  fc.noBias(
    fc.array(fc.array(of, { minLength: 2, maxLength: 4, size: 'max' }), { minLength: 1, maxLength, size: 'max' }),
  );

test(
  'one after the other, every command answers and leaves what the model says, and the books agree in the end',
  async () => {
    const some = (of: fc.Arbitrary<Command>, maxLength: number) => fc.array(of, { maxLength, size: 'max' });
    const lately = fc.oneof({ weight: 3, arbitrary: lateCommand }, command);
    const histories = fc.oneof(
      fc.tuple(fc.constantFrom([], requested), some(command, 16)),
      fc.tuple(fc.constantFrom<Command[][]>(late, lateAgain), some(lately, 10)),
    );
    const property = fc.asyncProperty(fc.noBias(histories), async ([first, commands]) => {
      const [payment, model] = [openPayment(world), nothing()];
      for (const [at, one] of [...first, ...commands].entries()) {
        expect([at, one, await payment.perform(one)]).toEqual([at, one, apply(model, one)]);
        const { shop, reinstatedBy, history, told } = model;
        const provider = model.provider && { ...model.provider, requested: undefined, overruled: undefined };
        expect([one, await payment.state()]).toEqual([one, { shop, reinstatedBy, provider, history, told }]);
      }
      await expectBooksToAgree(payment);
    });
    await fc.assert(property, propertySettings(30));
  },
  propertyTimeoutMs,
);

test(
  'side by side, whoever wins, nobody pays twice, each fact is told once, and the books agree in the end',
  async () => {
    const property = fc.asyncProperty(rounds(command, 6), async (all) => {
      const payment = openPayment(world);
      for (const round of [requested, ...all]) await together(payment, round);
      await expectBooksToAgree(payment);
    });
    await fc.assert(property, propertySettings(15));
  },
  propertyTimeoutMs,
);

test(
  'side by side, late money is accepted for one process instance or given back, never both',
  async () => {
    const property = fc.asyncProperty(rounds(lateCommand, 3), async (all) => {
      const payment = openPayment(world);
      for (const one of late) expect(await payment.perform(one)).toBe('ok');
      const done: Done[] = [];
      for (const round of all) done.push(...(await together(payment, round)));
      // A step whose call was lost is repeated by its job.
      for (const { one } of done.filter(({ answer }) => answer === 'LOST')) {
        if ('fault' in one) done.push({ one, answer: await payment.perform({ ...one, fault: 'none' }) });
      }
      expectOneWay(done, await payment.state());
      await expectBooksToAgree(payment);
    });
    await fc.assert(property, propertySettings(25));
  },
  propertyTimeoutMs,
);

type Done = { one: Command; answer: string };
async function together(payment: Payment, round: Command[]): Promise<Done[]> {
  const work = round.map((one) => async () => ({ one, answer: await payment.perform(one) }));
  return sideBySide(world.database, ['payments.payment'], work);
}

/** Accepted for one instance: nobody else gets it or gives it back. Taken or given back: the provider's books say so. */
function expectOneWay(done: Done[], { shop, provider, reinstatedBy }: State): void {
  const succeeded = (what: Command['do']) =>
    done.flatMap(({ one, answer }) => (one.do === what && answer === 'ok' ? ['by' in one ? one.by : ''] : []));
  const [accepted, gaveBack] = [[...new Set(succeeded('accept'))], [...new Set(succeeded('give back'))]];
  const isKept = shop?.state === 'APPROVED' || shop?.state === 'LATE';
  const net = (provider?.approved ?? 0) - (provider?.refunded ?? 0);
  const seen = { done, state: shop?.state, accepted, gaveBack, net, refundCalls: provider?.refundCalls };

  expect([seen, accepted.length]).toEqual([seen, reinstatedBy === undefined ? 0 : 1]);
  if (accepted.length > 0) expect([seen, gaveBack]).toEqual([seen, gaveBack.filter((by) => by === accepted[0])]);
  expect([seen, net]).toEqual([seen, isKept ? asked : 0]);
  if (isKept) expect([seen, gaveBack, provider?.refundCalls]).toEqual([seen, [], 0]);
  else expect([seen, gaveBack.length + succeeded('refund the order').length]).not.toEqual([seen, 0]);
  if (isKept) expect([seen, shop.state]).toEqual([seen, accepted.length > 0 ? 'APPROVED' : 'LATE']);
}

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
  const ended = await payment.state();
  expectAgreement(ended, (await world.deadLetters(payment.orderId)).length > 0);
  if (ended.shop?.state !== 'LATE') return;
  expect(await payment.perform({ do: 'give back', by: 'last', run: 'last', fault: 'none' })).toBe('ok');
  expectAgreement(await payment.state(), false);
}

/** @param isOddAmount another amount than was asked is no payment of this order: a dead letter asks a person what to do */
function expectAgreement({ shop, provider, history, told }: State, isOddAmount: boolean): void {
  const facts = { shop, provider, history, told };

  // Nothing is told twice, but for money that came after what had been booked by hand was given back by hand.
  const back = history.indexOf('PAYMENT_REFUNDED') + 1 || history.length;
  const lives = [history.slice(0, back), history.slice(back)];
  for (const life of lives) expect([facts, life.length]).toEqual([facts, new Set(life).size]);
  const inTime = told.filter((type) => type !== 'PAYMENT_LATE');
  expect([facts, inTime.length]).toEqual([facts, new Set(inTime).size]);
  const late = history.filter((fact) => fact === 'PAYMENT_LATE').length;
  expect([facts, told.length - inTime.length]).toEqual([facts, late]);
  expect([facts, told.includes('PAYMENT_APPROVED') && told.includes('PAYMENT_DECLINED')]).toEqual([facts, false]);

  // What was taken is kept or given back, whole.
  expect([facts, provider?.refunded ?? 0]).toEqual([facts, provider?.status === 'REFUNDED' ? provider.approved : 0]);
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
      expect([facts, provider?.status === 'APPROVED' && !isOddAmount]).toEqual([facts, false]);
      break;
    default:
      throw new Error(`It has not ended: ${JSON.stringify(facts)}`);
  }
}
