/** Waits for a condition instead of sleeping for luck. */
import { setTimeout as delay } from 'node:timers/promises';

/**
 * Calls `probe` every `everyMs` until it returns something other than undefined, null or false, and returns that.
 * After `withinMs` it rejects with `what` and the last failure of `probe`, if it threw.
 */
export async function eventually<T>(
  what: string,
  probe: () => Promise<T | undefined | null | false> | T | undefined | null | false,
  { withinMs = 20_000, everyMs = 50 }: { withinMs?: number; everyMs?: number } = {},
): Promise<T> {
  const end = Date.now() + withinMs;
  let last: unknown;
  do {
    try {
      const found = await probe();
      if (found !== undefined && found !== null && found !== false) return found;
      last = undefined;
    } catch (error) {
      last = error;
    }
    await delay(everyMs);
  } while (Date.now() < end);
  throw new Error(`Not within ${withinMs / 1000} s: ${what}`, last === undefined ? {} : { cause: last });
}
