/** Random interleavings of everything that moves stock, held against the model. */
import { afterAll, beforeAll, expect, test } from '@jest/globals';
import type { Db } from '@ticket-saga/runtime/database';
import fc from 'fast-check';
import { propertySettings, propertyTimeoutMs } from '../../test/support/property.ts';
import { sideBySide } from '../../test/support/side-by-side.ts';
import { command, commands } from './commands.ts';
import { apply, type Command, type Model } from './model.ts';
import { openScenario } from './scenario.ts';
import { openShop, type Shop } from './shop.ts';

let shop: Shop;
/** As many processes of the service, each with connections of its own. */
let clients: Db[];
beforeAll(async () => {
  shop = await openShop();
  clients = Array.from({ length: 4 }, () => shop.database.db('inventory'));
});
afterAll(() => shop.close());

test(
  'one after the other, every command answers and leaves what the model says',
  async () => {
    const property = fc.asyncProperty(commands(5), async (all) => {
      const scenario = await openScenario(shop);
      for (const [at, one] of all.entries()) {
        const answer = await scenario.perform(one);
        expect([at, one, answer]).toEqual([at, one, apply(scenario.model, one)]);
        expect(await scenario.state()).toEqual(scenario.model);
      }
    });
    await fc.assert(property, propertySettings(20));
  },
  propertyTimeoutMs,
);

test(
  'side by side, what commands answer and leave is what some order of them would',
  async () => {
    const together = fc.array(command, { minLength: 2, maxLength: clients.length, size: 'max' });
    const property = fc.asyncProperty(
      commands(2),
      fc.noBias(fc.array(together, { minLength: 1, maxLength: 5, size: 'max' })),
      async (first, rounds) => {
        const scenario = await openScenario(shop);
        for (const one of first) expect(await scenario.perform(one)).toBe(apply(scenario.model, one));
        let { model } = scenario;
        for (const round of rounds) {
          const answers = await sideBySide(
            shop.database,
            ['inventory.reservation', 'inventory.product'],
            round.map((one, i) => () => scenario.perform(one, clients[i])),
          );
          const state = await scenario.state();
          const explained = explain(model, round, answers, state);
          if (!explained) throw new Error(unexplained(model, round, answers, state));
          model = explained;
        }
      },
    );
    await fc.assert(property, propertySettings(20));
  },
  propertyTimeoutMs,
);

/** The model after an order of `round` in which each command answers as it did, and which leaves `state`. */
function explain(model: Model, round: Command[], answers: string[], state: Model): Model | undefined {
  const go = (now: Model, left: number[]): Model | undefined => {
    if (left.length === 0) return same(now, state) ? now : undefined;
    for (const i of left) {
      const next = structuredClone(now);
      const one = asDone(round[i], answers[i]);
      if (!one || apply(next, one) !== answers[i]) continue;
      const found = go(
        next,
        left.filter((other) => other !== i),
      );
      if (found) return found;
    }
    return undefined;
  };
  return go(model, [...round.keys()]);
}

/** A sweep leaves out what another has locked: only what it took has to be explained. */
function asDone(one: Command | undefined, answer = ''): Command | undefined {
  if (one?.do !== 'sweep') return one;
  return { do: 'sweep', due: answer.slice('ok '.length).split(',').filter(Boolean) };
}

function same(one: Model, other: Model): boolean {
  try {
    expect(one).toEqual(other);
    return true;
  } catch {
    return false;
  }
}

function unexplained(model: Model, round: Command[], answers: string[], state: Model): string {
  const text = (value: unknown) => JSON.stringify(value, undefined, 1);
  return `No order of these commands explains their answers.\n${text({ before: model, round, answers, after: state })}`;
}
