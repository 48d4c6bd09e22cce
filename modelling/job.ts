/** `npm run job`: acts for a worker that does not run, so that an order can be walked through a new diagram. */
import { randomUUID } from 'node:crypto';
import type { StartVariables } from '@ticket-saga/contract/jobs';
import { type ActivatedJob, type Engine, grpc, grpcCode } from '@ticket-saga/runtime/engine';
import { businessError, completion, failure, messageVariables, parseObject, Refused } from './job-answers.ts';
import { withJobsOf } from './job-find.ts';
import { describeJob } from './job-list.ts';
import { seeOrder, whyNothing } from './job-order.ts';
import { readSteps, type Step, typesToTry } from './job-places.ts';
import type { Places } from './job-settings.ts';

export type Options = {
  /** Look for jobs of these types too. */
  types: readonly string[];
  /** Only the step with this element id, where an order stands at several. */
  step?: string | undefined;
  /** `fail` uses up all tries. */
  stuck?: boolean | undefined;
};
/** What the commands need of the engine. */
type PlayEngine = Pick<
  Engine,
  'activateJobs' | 'completeJob' | 'failJob' | 'throwError' | 'startProcess' | 'publishMessage'
>;
export type Play = { engine: PlayEngine; places: Places; say: (line: string) => void };

/** The order's jobs and what can be done with each; all of them are given back. */
export async function list(play: Play, orderId: string, options: Options): Promise<void> {
  await search(play, orderId, options, false, async (jobs, steps) => {
    for (const job of jobs) play.say(describeJob(orderId, job, steps));
    return [];
  });
}

export const complete = (play: Play, orderId: string, text: string | undefined, options: Options) =>
  answer(play, orderId, options, async (job) => {
    const variables = completion(job.type, text);
    await play.engine.completeJob(job.key, variables);
    return Object.keys(variables).length > 0 ? `completed with ${JSON.stringify(variables)}` : 'completed';
  });

export const throwBusinessError = (
  play: Play,
  orderId: string,
  code: string,
  text: string | undefined,
  options: Options,
) =>
  answer(play, orderId, options, async (job) => {
    const thrown = businessError(job.type, code, text);
    await play.engine.throwError(job.key, thrown);
    return `ended with ${code} (${thrown.errorMessage})`;
  });

export const fail = (play: Play, orderId: string, sentence: string, options: Options) =>
  answer(play, orderId, options, async (job) => {
    const failed = failure(job.retries, sentence, options.stuck ?? false);
    await play.engine.failJob(job.key, failed);
    return failed.retries === 0
      ? 'failed for good: an incident, retry it in Operate'
      : `failed, ${failed.retries} tries left`;
  });

/** Sends a message to the order's process; it is kept for a minute if the process is not there yet. */
export async function message(play: Play, orderId: string, name: string, text: string | undefined): Promise<void> {
  const variables = messageVariables(name, text);
  const once = { messageId: randomUUID(), timeToLiveMs: 60_000 };
  await play.engine.publishMessage({ name, correlationKey: orderId, variables, ...once });
  play.say(`${name} is on its way to order ${orderId}.`);
}

/** Starts a process that no order starts yet, with an order of its own making; what is given replaces its variables. */
export async function start(play: Play, processId: string, text: string | undefined): Promise<string> {
  const usual: StartVariables = {
    orderId: randomUUID(),
    items: [{ productId: '1', quantity: 1, unitPrice: 19_900 }],
    paymentDeadline: 'PT15M',
    startBy: new Date(Date.now() + 24 * 60 * 60_000).toISOString(),
    paymentToken: null,
  };
  const variables = { ...usual, ...parseObject(text) };
  const orderId = String(variables.orderId);
  const { version } = await play.engine.startProcess(processId, variables);
  play.say(`${processId} version ${version} runs for order ${orderId}. Next: npm run job -- list ${orderId}`);
  return orderId;
}

async function answer(
  play: Play,
  orderId: string,
  options: Options,
  act: (job: ActivatedJob) => Promise<string>,
): Promise<void> {
  await search(play, orderId, options, !options.step, async (jobs, steps) => {
    const [job, ...more] = jobs;
    if (!job) return [];
    if (more.length > 0) {
      const which = jobs.map(({ elementId }) => `  --step ${elementId}`).join('\n');
      throw new Refused(`Order ${orderId} stands at ${jobs.length} steps; say which:\n${which}`);
    }
    try {
      const result = await act(job);
      play.say(`${nameOf(job, steps)}: ${result}.`);
    } catch (error) {
      if (grpcCode(error) !== grpc.notFound) throw error;
      throw new Refused(`${nameOf(job, steps)}: the process has gone on without it (cancelled, or its time was over).`);
    }
    return [job.key];
  });
}

async function search(
  play: Play,
  orderId: string,
  options: Options,
  first: boolean,
  act: (jobs: ActivatedJob[], steps: Step[]) => Promise<readonly string[]>,
): Promise<void> {
  const [steps, seen] = await Promise.all([readSteps(), seeOrder(play.places, orderId)]);
  const current = 'away' in seen ? undefined : (seen.currentStep ?? undefined);
  const types = typesToTry(steps, options.step ?? current, options.types);
  await withJobsOf(play.engine, orderId, types, first, async (all) => {
    const jobs = all.filter(({ elementId }) => !options.step || elementId === options.step);
    if (jobs.length === 0) throw new Refused(whyNothing(orderId, seen, steps));
    return act(jobs, steps);
  });
}

const nameOf = (job: ActivatedJob, steps: readonly Step[]) =>
  steps.find(({ id }) => id === job.elementId)?.name ?? job.elementId;
