/**
 * A worker: asks the engine for jobs of one type, parses, calls the handler, parses the answer, and completes, throws a
 * BPMN error, or fails the job. Everything it must know about the job is in the contract.
 */
import { randomUUID } from 'node:crypto';
import { hostname } from 'node:os';
import type { Job } from '@ticket-saga/contract/jobs';
import type { z } from 'zod';
import { backoffMs, busyPauseMs, pause } from './backoff.ts';
import type { ActivatedJob, Engine } from './engine.ts';
import { isBackPressure } from './errors.ts';
import type { PartHealth } from './health.ts';
import { type Context, runJob, type Handler, type JobReport } from './job.ts';
import { errorFields, type Logger } from './logger.ts';
import type { Metrics } from './metrics.ts';

export type { Context, Handler };

export type WorkerOptions = {
  engine: Engine;
  /** Tells the timeline; failures of telling are its own business. */
  report: JobReport;
  logger: Logger;
  metrics: Metrics;
  health: PartHealth;
  /** How long the engine lends a job, ms. */
  leaseMs: number;
  /** The pause before the second try of a failed job, ms. */
  retryBackOffMs: number;
  /** Jobs at once. */
  concurrency: number;
};

/** Works until the returned function is called; that waits for the jobs in hand. */
export function startWorker<Input extends z.ZodObject, Output extends z.ZodObject>(
  job: Job<Input, Output>,
  handler: Handler<Input, Output>,
  options: WorkerOptions,
): () => Promise<void> {
  const stop = new AbortController();
  const running = new Set<Promise<void>>();
  const polling = poll(job, handler, options, running, stop.signal);
  return async () => {
    stop.abort();
    await Promise.race([polling, pause(500)]); // a poll that waits in the engine need not be waited for
    await Promise.all(running);
  };
}

async function poll<Input extends z.ZodObject, Output extends z.ZodObject>(
  job: Job<Input, Output>,
  handler: Handler<Input, Output>,
  options: WorkerOptions,
  running: Set<Promise<void>>,
  signal: AbortSignal,
): Promise<void> {
  const worker = `${job.service}@${hostname()}:${process.pid}`;
  const variables = Object.keys(job.input.shape);
  for (let failures = 0; !signal.aborted;) {
    const room = options.concurrency - running.size;
    if (room === 0) {
      await Promise.race(running);
      continue;
    }
    try {
      const jobs = await options.engine.activateJobs({
        type: job.type,
        worker,
        most: room,
        leaseMs: options.leaseMs,
        variables,
      });
      failures = 0;
      options.health.ok();
      // A poll that was under way when the stop came may still bring jobs: the engine lends them to another in time.
      if (signal.aborted) return;
      for (const activated of jobs) {
        const work = workOn(job, handler, activated, options).finally(() => running.delete(work));
        running.add(work);
      }
    } catch (error) {
      failures += 1;
      if (isBackPressure(error)) {
        options.health.ok(); // it answers
        options.logger.debug('worker: the engine is busy, asking again', { type: job.type, failures });
        await pause(busyPauseMs(failures), signal);
        continue;
      }
      options.health.failed(`cannot get ${job.type} jobs from the engine: ${String(error)}`);
      options.logger.warn('worker: the engine gives no jobs, trying again', {
        type: job.type,
        failures,
        ...errorFields(error),
      });
      await pause(backoffMs(failures, 250, 5_000), signal);
    }
  }
}

async function workOn<Input extends z.ZodObject, Output extends z.ZodObject>(
  job: Job<Input, Output>,
  handler: Handler<Input, Output>,
  activated: ActivatedJob,
  { engine, report, logger, metrics, health, leaseMs, retryBackOffMs }: WorkerOptions,
): Promise<void> {
  const ended = metrics.jobSeconds.startTimer({ type: job.type });
  metrics.jobsRunning.inc({ type: job.type });
  // Longer than its lease, and the engine has given it to another: this one hangs, and its place with it.
  const end = health.begin(`job ${activated.key}`, leaseMs);
  const trace = {
    type: job.type,
    jobKey: activated.key,
    processInstanceKey: activated.processInstanceKey,
    run: randomUUID(),
  };
  try {
    const result = await runJob(job, handler, activated, {
      engine,
      report,
      logger: logger.child(trace),
      retryBackOffMs,
    });
    ended({ result });
  } catch (error) {
    // Nothing more can be told to the engine: the lease ends and another try begins.
    logger.error('job: its end could not be told to the engine', { ...trace, ...errorFields(error) });
    ended({ result: 'lost' });
  } finally {
    end();
    metrics.jobsRunning.dec({ type: job.type });
  }
}
