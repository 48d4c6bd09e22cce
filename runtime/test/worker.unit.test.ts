import { afterEach, describe, expect, it } from '@jest/globals';
import { z } from 'zod';
import { jobs } from '../../contract/jobs.ts';
import { eventually } from '../../test/support/eventually.ts';
import { createGate } from '../../test/support/gate.ts';
import { pause } from '../backoff.ts';
import type { ActivatedJob, Engine } from '../engine.ts';
import { createHealth } from '../health.ts';
import { createLogger } from '../logger.ts';
import { createMetrics } from '../metrics.ts';
import { startWorker } from '../worker.ts';

const job = { ...jobs.releaseTickets, type: 'hang', input: z.object({}), output: z.object({}) };

const stops: (() => Promise<void>)[] = [];
afterEach(async () => {
  for (const stop of stops.splice(0)) await stop();
});

/** A worker on an engine that lends the jobs asked for, and whose handler stands at a gate. */
function workerWith({ jobs: count, concurrency, stalledAfterMs = 300, leaseMs = 60_000 }: Options) {
  const health = createHealth({ stalledAfterMs });
  const gate = createGate();
  const completed: string[] = [];
  let lent = 0;
  const activated = (): ActivatedJob => ({
    key: `job-${(lent += 1)}`,
    type: job.type,
    processInstanceKey: '1',
    elementId: 'Hang',
    elementInstanceKey: '2',
    retries: 5,
    deadline: String(Date.now() + leaseMs),
    variables: {},
  });
  const engine = {
    activateJobs: async ({ most }: { most: number }) => {
      if (lent >= count) await pause(50);
      return Array.from({ length: Math.min(most, count - lent) }, activated);
    },
    completeJob: async (key: string) => completed.push(key),
  } as unknown as Engine;
  const stop = startWorker(job, () => gate.passed.then(() => ({})), {
    engine,
    report: { started: () => undefined, trouble: async () => undefined },
    logger: createLogger('test', 'silent'),
    metrics: createMetrics('test'),
    health: health.part('worker hang', stalledAfterMs),
    leaseMs,
    retryBackOffMs: 1_000,
    concurrency,
  });
  stops.push(async () => {
    gate.open();
    await stop();
  });
  return { health, open: gate.open, completed, detail: () => health.report().parts['worker hang']?.detail };
}
type Options = { jobs: number; concurrency: number; stalledAfterMs?: number; leaseMs?: number };

describe('A worker', () => {
  it('without any job stays ready, for it polls', async () => {
    const { health } = workerWith({ jobs: 0, concurrency: 2, stalledAfterMs: 2_000 });
    await eventually('the first poll', () => health.report().ready);
    await pause(3_000); // nothing to await: the point is that nothing changes
    expect(health.report().ready).toBe(true);
  });

  it('whose places are all taken by jobs that hang does not poll: not ready, until one ends', async () => {
    const { health, open, completed, detail } = workerWith({ jobs: 2, concurrency: 2 });
    await eventually('red', () => detail()?.startsWith('has not been heard of for'));
    expect(health.report().ready).toBe(false);
    open();
    await eventually('green', () => health.report().ready);
    expect(completed).toEqual(['job-1', 'job-2']);
  });

  it('with one job that runs longer than its lease is not ready, though it polls on beside it', async () => {
    const { health, open, detail } = workerWith({ jobs: 1, concurrency: 4, leaseMs: 300, stalledAfterMs: 60_000 });
    await eventually('red, naming the job', () => detail()?.startsWith('job job-1: has not ended for'));
    open();
    await eventually('green', () => health.report().ready);
  });

  it('that stands still for five times the limit is not live: only a new process gets its places back', async () => {
    const { health } = workerWith({ jobs: 2, concurrency: 2, stalledAfterMs: 100 });
    await eventually('stuck', () => 'worker hang' in health.stuck());
  });
});
