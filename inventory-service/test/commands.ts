/** Commands over a few orders and products, made up by fast-check. */
import fc from 'fast-check';
import type { Command } from './model.ts';

/** Orders and products go by their number in a scenario; each run gives them ids of its own. */
const order = fc.constantFrom('order-0', 'order-0', 'order-0', 'order-0', 'order-1', 'order-2');
const product = fc.constantFrom('show-0', 'show-1');
const owner = fc.constantFrom('process-0', 'process-0', 'process-1');
const jobKey = fc.constantFrom('job-0', 'job-1');
/** Mostly what goes well: a history of refusals alone would show nothing. */
const rarely = <T>(usual: fc.Arbitrary<T>, seldom: fc.Arbitrary<T>) =>
  fc.oneof({ weight: 24, arbitrary: usual }, { weight: 1, arbitrary: seldom });
const price = rarely(fc.constant(10_00), fc.constant(12_50));

const item = fc.record(
  {
    productId: rarely(product, fc.constant('show-nowhere')),
    quantity: fc.integer({ min: 1, max: 3 }),
    unitPrice: price,
    seenPrice: price,
  },
  { requiredKeys: ['productId', 'quantity', 'unitPrice'] },
);
const step = { order, owner, jobKey };
const reserve = fc.record({
  do: fc.constant('reserve' as const),
  ...step,
  items: fc.array(item, { minLength: 1, maxLength: 2, size: 'max' }),
  late: rarely(fc.constant(false), fc.constant(true)),
});

export const command: fc.Arbitrary<Command> = fc.oneof(
  { weight: 3, arbitrary: reserve },
  { weight: 4, arbitrary: fc.record({ do: fc.constant('confirm' as const), ...step }) },
  { weight: 2, arbitrary: fc.record({ do: fc.constant('release' as const), ...step }) },
  { weight: 3, arbitrary: fc.record({ do: fc.constant('hold ends' as const), order }) },
  { weight: 3, arbitrary: fc.record({ do: fc.constant('sweep' as const) }) },
  {
    weight: 2,
    arbitrary: fc.record(
      { do: fc.constant('change' as const), product, stock: fc.integer({ min: 0, max: 12 }), price },
      { requiredKeys: ['do', 'product'] },
    ),
  },
);

/** A part of a history: commands, or those made some steps before, just as they were: the same job, run twice. */
type Part = Command[] | { back: number };

/**
 * A history in episodes, each about an order of its own, now and then one of the earlier orders: few orders over many
 * commands would soon all have ended.
 */
export function commands(episodes: number): fc.Arbitrary<Command[]> {
  const part: fc.Arbitrary<Part> = fc.oneof(
    { weight: 6, arbitrary: command.map((one) => [one]) },
    { weight: 1, arbitrary: order.map((of): Command[] => [{ do: 'hold ends', order: of }, { do: 'sweep' }]) },
    { weight: 1, arbitrary: fc.record({ back: fc.nat(20) }) },
  );
  const begins: fc.Arbitrary<Part> = rarely(
    reserve.map((one) => [{ ...one, order: 'order-0' }]),
    part,
  );
  const parts = fc.array(part, { maxLength: 9, size: 'max' });
  const episode = fc.tuple(begins, parts).map(([first, more]) => [first, ...more]);
  return fc.noBias(fc.array(episode, { maxLength: episodes, size: 'max' })).map((all) => {
    const made: Command[] = [];
    for (const [number, each] of all.entries())
      for (const one of each)
        made.push(...('back' in one ? made.slice(-1 - one.back).slice(0, 1) : about(one, number)));
    return made;
  });
}

/** `order-0` is the order of the episode, the others are those before it. */
const about = (all: Command[], episode: number): Command[] =>
  all.map((one) =>
    'order' in one ? { ...one, order: `order-${Math.max(0, episode - Number(one.order.at(-1)))}` } : one,
  );
