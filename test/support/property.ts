/**
 * How property tests run: with a fixed seed and few runs as part of `npm test`, so that a red one is red again. By hand
 * `PROPERTY_RUNS=20` runs twenty times as many, and `PROPERTY_SEED=random` (or a number) looks elsewhere. fast-check
 * prints the seed, the path and the smallest counter-example of a failure.
 */
import type fc from 'fast-check';

const factor = Number(process.env['PROPERTY_RUNS'] || 1);

/** Time limit for a test of property runs, ms. */
export const propertyTimeoutMs = 60_000 * Math.max(1, factor);

/** @param runs in `npm test`; `PROPERTY_RUNS` multiplies it */
export function propertySettings(runs: number): fc.Parameters<unknown> {
  const seed = process.env['PROPERTY_SEED'] || '5';
  return {
    numRuns: Math.max(1, Math.round(runs * factor)),
    ...(seed === 'random' ? {} : { seed: Number(seed) }),
    // A counter-example of a whole system takes long to shrink: what is smallest by then will do.
    interruptAfterTimeLimit: propertyTimeoutMs - 10_000,
    markInterruptAsFailure: false,
  };
}
