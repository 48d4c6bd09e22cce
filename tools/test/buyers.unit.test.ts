import { expect, it } from '@jest/globals';
import { buyerOf } from '../buyers.ts';

const crowd = (seed: number, size: number) => Array.from({ length: size }, (_, index) => buyerOf(seed, index));

it('the same seed brings the same buyers, another seed others', () => {
  expect(crowd(1, 50)).toEqual(crowd(1, 50));
  expect(crowd(2, 50)).not.toEqual(crowd(1, 50));
});

it('the smallest rush already pays with every token of the provider', () => {
  const tokens = crowd(1, 15).map(({ payment }) => (payment.token ?? 'none').replace(/:.*/, ''));
  const all = 'none approve decline slow late never twice contradict early flaky down garbage wrong_amount manual';
  expect(new Set(tokens)).toEqual(new Set(all.split(' ').map((word) => (word === 'none' ? word : `tok_${word}`))));
});

it('some post twice, some cancel, some are aborted', () => {
  const buyers = crowd(1, 500);
  const acting = (what: string) => buyers.filter(({ act }) => act?.what === what).length;
  expect(acting('cancel')).toBeGreaterThan(20);
  expect(acting('abort')).toBeGreaterThan(10);
  expect(buyers.filter(({ repeatsAfterMs }) => repeatsAfterMs.length > 0).length).toBeGreaterThan(50);
});
