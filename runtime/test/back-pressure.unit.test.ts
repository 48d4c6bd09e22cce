import { describe, expect, it } from '@jest/globals';
import { busyPauseMs } from '../backoff.ts';
import { isBackPressure, isOwnFault } from '../errors.ts';

const answer = (code: number) => Object.assign(new Error(`${code} from the engine`), { code });

describe('An engine that has more to do than it wants', () => {
  it('is told from one that is away, and is no fault of the request', () => {
    expect(isBackPressure(answer(8))).toBe(true);
    expect(isBackPressure(new Error('wrapped', { cause: answer(8) }))).toBe(true);
    expect(isBackPressure(answer(14))).toBe(false);
    expect(isOwnFault(answer(8))).toBe(true);
  });

  it('is asked again within a second, however often it refused, and not by all at the same moment', () => {
    const pauses = Array.from({ length: 200 }, (_, index) => busyPauseMs(index + 1));
    expect(Math.max(...pauses)).toBeLessThanOrEqual(1_000);
    expect(Math.min(...pauses.slice(10))).toBeGreaterThanOrEqual(500);
    expect(new Set(pauses.slice(10)).size).toBeGreaterThan(100);
  });
});
