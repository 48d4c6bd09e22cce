import { afterAll, expect, it } from '@jest/globals';
import { rush } from '../../tools/rush-run.ts';
import { isRight } from '../../tools/rush-table.ts';
import { brokenStock, shop } from '../support/system.ts';

afterAll(() => shop.close());

it('150 buyers of every kind for 20 tickets: none oversold, none lost, and the money adds up to the penny', async () => {
  const { lines } = await rush(shop, { buyers: 150, tickets: 20, seed: 1 });
  expect(lines.filter((line) => !isRight(line))).toEqual([]);
  expect(await brokenStock()).toEqual([]);
}, 300_000);
