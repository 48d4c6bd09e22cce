import { describe, expect, it } from '@jest/globals';
import { createHealth } from '../health.ts';

/** A health whose clock the test turns. */
function clocked(stalledAfterMs = 60_000) {
  let time = 1_000_000;
  const health = createHealth({ now: () => time, stalledAfterMs });
  return { health, pass: (ms: number) => (time += ms) };
}

describe('Readiness', () => {
  it('waits until each part has said that it works', () => {
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
    const { health, pass } = clocked();
    const worker = health.part('worker', 30_000);
    worker.ok();
    pass(31_000);
    expect(health.report()).toMatchObject({
      ready: false,
      parts: { worker: { ok: false, detail: 'has not been heard of for 31 s' } },
    });
    worker.ok();
    expect(health.report().ready).toBe(true);
  });

  it('goes red for work that does not end, however lively the part is beside it, until it ends', () => {
    const { health, pass } = clocked();
    const worker = health.part('worker', 30_000);
    const end = worker.begin('job 7', 10_000);
    worker.begin('job 8')();
    pass(11_000);
    worker.ok();
    expect(health.report()).toMatchObject({
      ready: false,
      parts: { worker: { ok: false, detail: 'job 7: has not ended for 11 s', since: '1970-01-01T00:16:40.000Z' } },
    });
    end();
    expect(health.report().ready).toBe(true);
  });

  it('names the reason of a failed part and since when', () => {
    const health = createHealth({ now: () => 0 });
    health.part('kafka').failed('no broker');
    expect(health.report().parts['kafka']).toEqual({
      ok: false,
      detail: 'no broker',
      since: '1970-01-01T00:00:00.000Z',
    });
  });
});

describe('Liveness', () => {
  it('does not mind a part that fails for hours and says so: a new process would not help', () => {
    const { health, pass } = clocked();
    const kafka = health.part('kafka', 60_000);
    for (let minutes = 0; minutes < 180; minutes += 1) {
      kafka.failed('no broker');
      pass(60_000);
    }
    expect(health.stuck()).toEqual({});
  });

  it('goes red for a part without a word, and for work without an end, at five times the limit', () => {
    const { health, pass } = clocked();
    health.part('relay', 60_000).ok();
    health.part('worker').begin('job 7');
    pass(299_000);
    expect(health.stuck()).toEqual({});
    pass(2_000);
    expect(health.stuck()).toEqual({
      relay: 'has not been heard of for 301 s',
      worker: 'job 7: has not ended for 301 s',
    });
  });
});
