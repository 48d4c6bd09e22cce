/**
 * An order in its process, as a test plays it: the test does each step as the worker would, sends what comes from
 * outside, and looks where the order stands and which way it went.
 */
import { type BpmnErrorCode, bpmnErrors, type ReasonCode } from '@ticket-saga/contract/errors';
import { messages } from '@ticket-saga/contract/messages';
import type { Engine } from '@ticket-saga/runtime/engine';
import type { EngineClock } from './engine-clock.ts';
import type { EngineJobs } from './engine-jobs.ts';
import { type EngineRecords, hasIncident, isOver, newestIncident, passed, standing } from './engine-records.ts';

export type Order = ReturnType<typeof followOrder>;

/** How long an order of these tests may take to pay; a turn of the clock by this ends it. */
export const timeToPayMs = 15 * 60 * 1000;

/** What Reserve tickets returns for an order that may be paid from now on. */
export const reservation = async (clock: EngineClock) => ({
  payBy: new Date((await clock.now()) + timeToPayMs).toISOString(),
  total: 19_900,
});

/** How a message is published that finds its instance by the order's id. */
export type Send = (orderId: string, name: string, variables?: object) => Promise<unknown>;

export function followOrder(
  { engine, jobs, records, clock, send }: OnTheEngine,
  { orderId, instance }: { orderId: string; instance: string },
) {
  /** Jobs that were taken and not answered yet. */
  const inHand = new Map<string, Awaited<ReturnType<EngineJobs['take']>>>();

  /** Takes the job of a box, once, and resolves with its key and its input. */
  async function job(elementId: string) {
    const found = inHand.get(elementId) ?? (await jobs.take(instance, elementId));
    inHand.set(elementId, found);
    return found;
  }

  async function answer(elementId: string, how: (key: string) => Promise<unknown>): Promise<void> {
    const { key } = await job(elementId);
    inHand.delete(elementId);
    await how(key);
  }

  return {
    orderId,
    /** The key of its process instance. */
    instance,
    job,
    /** Does the step: completes its job with what the contract's worker would return. */
    complete: (elementId: string, output?: object) =>
      answer(elementId, async (key) =>
        engine.completeJob(key, output ?? (/^Reserve\w*Tickets$/.test(elementId) ? await reservation(clock) : {})),
      ),
    /** A business error; its reason travels in the variables, as `runJob` sends it. */
    throwError: (elementId: string, errorCode: BpmnErrorCode, reasonCode: string = errorCode) =>
      answer(elementId, (key) => {
        const errorMessage = bpmnErrors[errorCode];
        const variables = { reasonCode, reasonMessage: errorMessage };
        return engine.throwError(key, { errorCode, errorMessage, variables });
      }),
    /** The last try fails: the step is an incident. */
    async fail(elementId: string): Promise<void> {
      const failure = { errorMessage: 'The provider is away', retries: 0, retryBackOff: 0 };
      await answer(elementId, (key) => engine.failJob(key, failure));
      await records.until('an incident', instance, hasIncident);
    },
    /** The keys of the newest incident. */
    incident: () => records.until('an incident', instance, newestIncident),
    /** The payment's result, as the orchestrator sends it. */
    callback: (paymentOutcome: 'APPROVED' | 'DECLINED', reasonCode?: ReasonCode) =>
      send(orderId, messages.paymentCallback.name, { paymentOutcome, ...(reasonCode ? { reasonCode } : {}) }),
    cancel: () => send(orderId, messages.cancelOrder.name),
    abort: () => send(orderId, messages.abortOrder.name),
    /** Resolves when the instance stands at this element. */
    standsAt: (elementId: string) =>
      records.until(`a token at ${elementId}`, instance, (seen) => standing(seen).includes(elementId)),
    /** The boxes and events that were passed so far, in order. */
    passed: () => records.until('records', instance, (seen) => seen.length > 0 && passed(seen)),
    /** Resolves when the instance is over, with the boxes and events that were passed, in order. */
    end: async () => passed(await records.until('the end', instance, (seen) => isOver(seen) && seen)),
  };
}

type OnTheEngine = { engine: Engine; jobs: EngineJobs; records: EngineRecords; clock: EngineClock; send: Send };
