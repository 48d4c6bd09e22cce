import { expect, test } from '@jest/globals';
import { restartPauses } from '../restart.ts';

test('the pauses before restarts double up to half a minute', () => {
  const pauses = restartPauses();
  expect([1, 2, 3, 4, 5, 6, 7].map(() => pauses.next(0) / 1_000)).toEqual([1, 2, 4, 8, 16, 30, 30]);
});

test('after a minute of health they begin anew', () => {
  const pauses = restartPauses();
  pauses.next(0);
  pauses.next(0);
  expect(pauses.next(59_999)).toBe(4_000);
  expect(pauses.next(60_000)).toBe(1_000);
  expect(pauses.failures).toBe(1);
});
