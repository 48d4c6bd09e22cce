/** Random interleavings of everything that moves stock, held against the model. */
import { afterAll, beforeAll, expect, test } from '@jest/globals';
import type { Db } from '@ticket-saga/runtime/database';
import fc from 'fast-check';
import { propertySettings, propertyTimeoutMs } from '../../test/support/property.ts';
import { explain, sideBySide } from '../../test/support/side-by-side.ts';
import { command, commands } from './commands.ts';
import { apply, type Command } from './model.ts';
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
          model = explain(model, { round: round.map((one, i) => asDone(one, answers[i])), answers, state }, apply);
        }
      },
    );
    await fc.assert(property, propertySettings(20));
  },
  propertyTimeoutMs,
);

/** A sweep leaves out what another has locked: only what it took has to be explained. */
function asDone(one: Command, answer = ''): Command {
  if (one.do !== 'sweep') return one;
  return { do: 'sweep', due: answer.slice('ok '.length).split(',').filter(Boolean) };
}
