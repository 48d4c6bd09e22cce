/** Takes jobs from the engine for a test that plays the workers. */
import type { z } from 'zod';
import { type Job, jobs } from '@ticket-saga/contract/jobs';
import type { ActivatedJob, Engine } from '@ticket-saga/runtime/engine';
import { extension, isA, readDiagram } from '../../modelling/diagram.ts';

/** No turn of the clock in these tests ends a lease: what a test has taken stays its own. */
const leaseMs = 365 * 24 * 60 * 60 * 1000;
const patienceMs = 10_000;

export type TakenJob = { key: string; elementInstanceKey: string; variables: z.infer<Job['input']> };
export type EngineJobs = Awaited<ReturnType<typeof takeJobs>>;

export async function takeJobs(engine: Engine, processId: string) {
  const { elements } = await readDiagram(processId);
  const tasks = elements.filter(isA(/Task$/));
  const typeOf = new Map(tasks.map((task) => [task.id, extension(task, 'TaskDefinition')?.type]));
  const kept: ActivatedJob[] = [];
  const polls = new Set<Promise<void>>();
  let closed = false;

  function declared(elementId: string): Job {
    const found = Object.values(jobs).find((job) => job.type === typeOf.get(elementId));
    if (!found) throw new Error(`${elementId} is no task with a job of the contract`);
    return found;
  }

  async function poll({ type, input }: Job): Promise<void> {
    const variables = Object.keys(input.shape);
    kept.push(...(await engine.activateJobs({ type, worker: 'test', most: 10, leaseMs, waitMs: 1_000, variables })));
  }

  return {
    /**
     * Waits for the job of this box of this instance; resolves with its input as the contract reads it. Jobs of other
     * instances that come along are kept for them.
     */
    async take(instance: string, elementId: string): Promise<TakenJob> {
      const job = declared(elementId);
      const end = Date.now() + patienceMs;
      while (!closed && Date.now() < end) {
        const mine = kept.findIndex((it) => it.processInstanceKey === instance && it.elementId === elementId);
        const [found] = mine < 0 ? [] : kept.splice(mine, 1);
        if (found) {
          const { key, elementInstanceKey, variables } = found;
          return { key, elementInstanceKey, variables: job.input.parse(variables) };
        }
        const polling = poll(job);
        polls.add(polling);
        await polling.finally(() => polls.delete(polling));
      }
      throw new Error(`The engine hands out no job for ${elementId}`);
    },
    /** Ends with the last poll: one that goes on would take a job away from the next test file. */
    async close(): Promise<void> {
      closed = true;
      await Promise.allSettled(polls);
    },
  };
}
