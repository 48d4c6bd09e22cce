/** The engine's clock under test (`ZEEBE_CLOCK_CONTROLLED=true`). All instances share it, and it only goes forward. */
import { z } from 'zod';

export type EngineClock = ReturnType<typeof engineClock>;

/** @param management base URL of the broker's management port */
export function engineClock(management: string) {
  async function call(path: string, body?: object): Promise<number> {
    const response = await fetch(`${management}/actuator/clock${path}`, {
      method: body ? 'POST' : 'GET',
      headers: { 'content-type': 'application/json' },
      ...(body ? { body: JSON.stringify(body) } : {}),
    });
    if (!response.ok) throw new Error(`The engine's clock answers ${response.status}: ${await response.text()}`);
    return z.object({ epochMilli: z.number() }).parse(await response.json()).epochMilli;
  }
  return {
    /** Milliseconds since 1970, as the engine sees it. */
    now: () => call(''),
    /** Lets this much time pass at once. */
    pass: (offsetMilli: number) => call('/add', { offsetMilli }),
  };
}
