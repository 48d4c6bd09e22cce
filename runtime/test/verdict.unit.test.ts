import { expect, it } from '@jest/globals';
import { PassingFault } from '../errors.ts';
import { judge } from '../verdict.ts';

const pauseAfter = (attempt: number) =>
  judge(new PassingFault('AWAY', 'no answer'), { attempt, left: 2, retryBackOffMs: 250 }).retryBackOff;

it('The pause before the next try starts as it is set, doubles, and never gets longer than eight times that', () => {
  expect([1, 2, 3, 4, 5, 9].map(pauseAfter)).toEqual([250, 500, 1_000, 2_000, 2_000, 2_000]);
});
