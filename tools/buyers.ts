/** Buyers as a rush brings them: every token of the payment provider, impatience, and changes of mind. */
import { type Chance, chanceOf } from './chance.ts';

export type Buyer = {
  index: number;
  quantity: number;
  payment: { token?: string; deadline?: string };
  /** Posts the order again with the same key, so long after the first time, ms; 0 is side by side with it. */
  repeatsAfterMs: number[];
  /** What they do once the order is placed, ms after it; undefined: they wait. */
  act?: { what: 'cancel' | 'abort' | 'approve' | 'decline' | 'decline by Kafka'; afterMs: number };
};

type Kind = { weight: number; token?: string; deadline?: string };

/**
 * Deadlines are short where the provider never answers or answers too late; enough is left for a request that has to be
 * repeated. The approval by a hand-written Kafka message is missing: the shop then has money that the provider has not.
 */
const kinds: Kind[] = [
  { weight: 14 },
  { weight: 20, token: 'tok_approve' },
  { weight: 8, token: 'tok_decline' },
  { weight: 5, token: 'tok_slow:1' },
  { weight: 3, token: 'tok_slow:4', deadline: 'PT3S' },
  { weight: 5, token: 'tok_late', deadline: 'PT3S' },
  { weight: 5, token: 'tok_never', deadline: 'PT5S' },
  { weight: 6, token: 'tok_twice' },
  { weight: 5, token: 'tok_contradict' },
  { weight: 5, token: 'tok_early' },
  { weight: 5, token: 'tok_flaky:2' },
  { weight: 2, token: 'tok_down', deadline: 'PT20S' },
  { weight: 4, token: 'tok_garbage' },
  { weight: 2, token: 'tok_wrong_amount', deadline: 'PT5S' },
  { weight: 6, token: 'tok_manual', deadline: 'PT20S' },
];
const allWeights = kinds.reduce((sum, { weight }) => sum + weight, 0);

/** Each of the kinds comes once before chance decides, so that the smallest rush has all of them. */
export function buyerOf(seed: number, index: number): Buyer {
  const chance = chanceOf(seed, index);
  const { token, deadline } = kinds[index] ?? kindBy(chance);
  const act = actOf(chance, token);
  return {
    index,
    quantity: chance.hits(0.3) ? 2 : 1,
    payment: { ...(token === undefined ? {} : { token }), ...(deadline === undefined ? {} : { deadline }) },
    repeatsAfterMs: chance.hits(0.2) ? [0, chance.below(4_000)].slice(0, 1 + chance.below(2)) : [],
    ...(act ? { act } : {}),
  };
}

function kindBy(chance: Chance): Kind {
  let left = chance.below(allWeights);
  for (const kind of kinds) {
    left -= kind.weight;
    if (left < 0) return kind;
  }
  throw new Error('The weights do not add up.');
}

function actOf(chance: Chance, token: string | undefined): Buyer['act'] {
  const mood = chance.next();
  const afterMs = chance.below(5_000);
  if (mood < 0.08) return { what: 'cancel', afterMs };
  if (mood < 0.13) return { what: 'abort', afterMs };
  if (token !== 'tok_manual') return undefined;
  return { what: mood < 0.6 ? 'approve' : mood < 0.8 ? 'decline' : 'decline by Kafka', afterMs };
}
