/** Chance that can be repeated: the same seed draws the same (mulberry32). */
export type Chance = {
  /** 0 ≤ n < 1 */
  next(): number;
  /** A whole number, 0 ≤ n < `end`. */
  below(end: number): number;
  /** True in a share of the draws. */
  hits(share: number): boolean;
};

/** `stream` gives each buyer a chance of their own, so that what they do does not depend on who comes first. */
export function chanceOf(seed: number, stream = 0): Chance {
  let state = (Math.imul(seed, 0x9e3779b1) ^ Math.imul(stream + 1, 0x85ebca6b)) >>> 0;
  const next = () => {
    state = (state + 0x6d2b79f5) >>> 0;
    let mixed = Math.imul(state ^ (state >>> 15), state | 1);
    mixed = (mixed + Math.imul(mixed ^ (mixed >>> 7), mixed | 61)) ^ mixed;
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 2 ** 32;
  };
  return { next, below: (end) => Math.floor(next() * end), hits: (share) => next() < share };
}
