import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from '@jest/globals';
import { known, rows } from './crash-rows.ts';
import { providerCalls, tasks } from './crash-ways.ts';

const root = join(import.meta.dirname, '..', '..');

describe('The crash matrix has a row', () => {
  it('for every task of every diagram, and so for every job of the contract', () => {
    expect(known.tasks.map(({ elementId }) => elementId).toSorted()).toEqual(Object.keys(tasks).toSorted());
    expect(known.types.filter((type) => !known.tasks.some((task) => task.type === type))).toEqual([]);
  });

  it('for every call to the provider', () => {
    const text = readFileSync(join(root, 'payment-service', 'provider.ts'), 'utf8');
    const calls = [...text.matchAll(/betweenCommits\('(\w+)'/g)].map(([, call]) => call);
    expect(calls.toSorted()).toEqual(Object.keys(providerCalls).toSorted());
  });

  it('once: no two orders are sent to die at the same point', () => {
    expect(new Set(rows.map(({ point }) => point)).size).toBe(rows.length);
  });
});

it('docs/crash-matrix.md has a line for each place; else let `UPDATE_DOCS=1 npm run test:faults` write it anew', () => {
  const page = readFileSync(join(root, 'docs', 'crash-matrix.md'), 'utf8');
  const places = [...new Set(rows.map(({ place }) => place))];
  expect(places.filter((place) => !page.includes(`\n| ${place} `))).toEqual([]);
});
