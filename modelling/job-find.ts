/**
 * Finds the jobs of one order. The engine (8.6) has no query for that: jobs are taken from it type by type, and those of
 * other orders are given back at once, with all their tries, before any worker can miss them.
 */
import type { ActivatedJob, Engine } from '@ticket-saga/runtime/engine';
import { z } from 'zod';
import { contractJob } from './job-answers.ts';

type JobsOfEngine = Pick<Engine, 'activateJobs' | 'failJob'>;

/** Long enough for a person's answer to be told; if this program dies, what it holds is free again after it. */
const leaseMs = 15_000;
const atOnce = 100;
/** The engine answers at once, also when there is nothing. */
const withoutWaiting = -1;

const ofOrder = z.looseObject({ orderId: z.unknown() });

/**
 * Calls `act` with the jobs of the order that wait for a worker, and gives back those that it does not answer.
 * @param types in the order to look; with `first`, the search ends at the first type that has a job of the order
 * @param act resolves with the keys of the jobs that it has answered
 */
export async function withJobsOf(
  engine: JobsOfEngine,
  orderId: string,
  types: readonly string[],
  first: boolean,
  act: (jobs: ActivatedJob[]) => Promise<readonly string[]>,
): Promise<void> {
  const mine: ActivatedJob[] = [];
  let answered: readonly string[] = [];
  try {
    for (const type of types) {
      mine.push(...(await takeOf(engine, orderId, type)));
      if (first && mine.length > 0) break;
    }
    answered = await act(mine);
  } finally {
    await giveBack(
      engine,
      mine.filter(({ key }) => !answered.includes(key)),
    );
  }
}

async function takeOf(engine: JobsOfEngine, orderId: string, type: string): Promise<ActivatedJob[]> {
  const input = contractJob(type)?.input.shape;
  // Of a job that only the diagram knows all variables are read: nobody has said which matter.
  const variables = input ? [...new Set(['orderId', ...Object.keys(input)])] : [];
  const mine: ActivatedJob[] = [];
  const others: ActivatedJob[] = [];
  try {
    for (;;) {
      const worker = 'npm run job';
      const taken = await engine.activateJobs({
        type,
        worker,
        most: atOnce,
        leaseMs,
        waitMs: withoutWaiting,
        variables,
      });
      if (taken.length === 0) return mine;
      for (const job of taken) (isOf(orderId, job) ? mine : others).push(job);
      // Nobody has two tasks of one type at once in one order; do not hold up the others to look for it.
      if (mine.length > 0) return mine;
    }
  } finally {
    await giveBack(engine, others);
  }
}

const isOf = (orderId: string, job: ActivatedJob) => ofOrder.safeParse(job.variables).data?.orderId === orderId;

/** As if it had never been taken: all tries, no wait. A job that cannot be given back is free when its lease ends. */
async function giveBack(engine: JobsOfEngine, jobs: readonly ActivatedJob[]): Promise<void> {
  const back = ({ key, retries }: ActivatedJob) =>
    engine.failJob(key, { errorMessage: '', retries, retryBackOff: 0 }).catch(() => undefined);
  await Promise.all(jobs.map(back));
}
