import { describe, expect, it } from '@jest/globals';
import { createHealth } from '../health.ts';

describe('Health', () => {
  it('is not ready before each part has said that it works', () => {
    const health = createHealth();
    const database = health.part('database');
    health.part('relay');
    database.ok();
    expect(health.report()).toMatchObject({
      ready: false,
      parts: { database: { ok: true }, relay: { ok: false, detail: 'starting' } },
    });
  });

  it('goes red when a part has been silent for too long, and says for how long', () => {
    let now = 1_000_000;
    const health = createHealth(() => now);
    const worker = health.part('worker', 30_000);
    worker.ok();
    now += 31_000;
    expect(health.report()).toMatchObject({
      ready: false,
      parts: { worker: { ok: false, detail: 'has not been heard of for 31 s' } },
    });
    worker.ok();
    expect(health.report().ready).toBe(true);
  });

  it('names the reason of a failed part and since when', () => {
    const health = createHealth(() => 0);
    health.part('kafka').failed('no broker');
    expect(health.report().parts['kafka']).toEqual({
      ok: false,
      detail: 'no broker',
      since: '1970-01-01T00:00:00.000Z',
    });
  });
});
