/**
 * Plays orders through the real diagram on a real engine whose clock the test turns. There are no services: a test takes
 * each job as the worker would, reads its input by the contract, and answers it.
 */
import { randomUUID } from 'node:crypto';
import { readFile } from 'node:fs/promises';
import { type BpmnErrorCode, bpmnErrors, type ReasonCode } from '@ticket-saga/contract/errors';
import type { StartVariables } from '@ticket-saga/contract/jobs';
import { cancelTimeToLiveMs, messages } from '@ticket-saga/contract/messages';
import { createEngine } from '@ticket-saga/runtime/engine';
import { diagramFile } from '../bpmn/diagram.ts';
import { engineClock } from './engine-clock.ts';
import { takeJobs } from './engine-jobs.ts';
import { followRecords, hasIncident, isOver, passed, standing } from './engine-records.ts';
import { startInTheMiddle } from './start-in-the-middle.ts';

export type ProcessTest = Awaited<ReturnType<typeof openProcessTest>>;
export type Order = Awaited<ReturnType<ProcessTest['placeOrder']>>;

/** How long an order of these tests may take to pay; a turn of the clock by this ends it. */
export const timeToPayMs = 15 * 60 * 1000;

const processId = 'ticket-order';

export async function openProcessTest() {
  const address = setting('PROCESS_TEST_ENGINE');
  const engine = createEngine(address);
  const records = await followRecords(setting('PROCESS_TEST_LOG'));
  const clock = engineClock(setting('PROCESS_TEST_MANAGEMENT'));
  const jobs = await takeJobs(engine, processId);
  await engine.deploy(`${processId}.bpmn`, await readFile(diagramFile(processId)));

  const reservation = async () => ({
    payBy: new Date((await clock.now()) + timeToPayMs).toISOString(),
    total: 19_900,
  });

  const send = (orderId: string, name: string, variables: object = {}) =>
    engine.publishMessage({
      name,
      correlationKey: orderId,
      messageId: randomUUID(),
      timeToLiveMs: cancelTimeToLiveMs,
      variables,
    });

  async function placeOrder(more: Partial<StartVariables> = {}) {
    const variables = { ...usualOrder(), ...more };
    const { processInstanceKey } = await engine.startProcess(processId, variables);
    return follow(variables.orderId, processInstanceKey);
  }

  /** An order whose process begins at this element, as if it had been reserved before. */
  async function placeOrderAt(elementId: string, orderId: string) {
    const variables = { ...usualOrder(), orderId, ...(await reservation()) };
    return follow(orderId, await startInTheMiddle(address, processId, elementId, variables));
  }

  function follow(orderId: string, instance: string) {
    /** Jobs that were taken and not answered yet. */
    const inHand = new Map<string, Awaited<ReturnType<typeof jobs.take>>>();

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
      job,
      /** Does the step: completes its job with what the contract's worker would return. */
      complete: (elementId: string, output?: object) =>
        answer(elementId, async (key) =>
          engine.completeJob(key, output ?? (elementId === 'ReserveTickets' ? await reservation() : {})),
        ),
      /** A business error; its reason travels in the variables, as `runWorker` sends it. */
      throwError: (elementId: string, errorCode: BpmnErrorCode, reasonCode: string = errorCode) =>
        answer(elementId, (key) => {
          const errorMessage = bpmnErrors[errorCode];
          return engine.throwError(key, {
            errorCode,
            errorMessage,
            variables: { reasonCode, reasonMessage: errorMessage },
          });
        }),
      /** The last try fails: the step is an incident. */
      async fail(elementId: string): Promise<void> {
        const failure = { errorMessage: 'The provider is away', retries: 0, retryBackOff: 0 };
        await answer(elementId, (key) => engine.failJob(key, failure));
        await records.until('an incident', instance, hasIncident);
      },
      /** The payment's result, as the orchestrator sends it. */
      callback: (paymentOutcome: 'APPROVED' | 'DECLINED', reasonCode?: ReasonCode) =>
        send(orderId, messages.paymentCallback.name, { paymentOutcome, ...(reasonCode ? { reasonCode } : {}) }),
      cancel: () => send(orderId, messages.cancelOrder.name),
      abort: () => send(orderId, messages.abortOrder.name),
      /** Resolves when the instance stands at this element. */
      standsAt: (elementId: string) =>
        records.until(`a token at ${elementId}`, instance, (seen) => standing(seen).includes(elementId)),
      /** Resolves when the instance is over, with the boxes and events that were passed, in order. */
      end: async () => passed(await records.until('the end', instance, (seen) => isOver(seen) && seen)),
    };
  }

  return {
    engine,
    clock,
    send,
    placeOrder,
    placeOrderAt,
    async close(): Promise<void> {
      await jobs.close();
      await records.close();
      await engine.close();
    },
  };
}

const usualOrder = (): StartVariables => ({
  orderId: randomUUID(),
  items: [{ productId: '1', quantity: 1, unitPrice: 19_900 }],
  paymentDeadline: 'PT15M',
  startBy: '2100-01-01T00:00:00.000Z',
  paymentToken: null,
});

function setting(name: string): string {
  const value = process.env[name];
  if (!value) throw new Error(`${name} is not set: run these tests with --selectProjects process`);
  return value;
}
