/**
 * Plays orders through the real diagram on a real engine whose clock the test turns. There are no services: a test takes
 * each job as the worker would, reads its input by the contract, and answers it.
 */
import { randomUUID } from 'node:crypto';
import { readFile } from 'node:fs/promises';
import { afterAll, beforeAll, jest } from '@jest/globals';
import { type LatePaymentVariables, lateReservation, type StartVariables } from '@ticket-saga/contract/jobs';
import { cancelTimeToLiveMs } from '@ticket-saga/contract/messages';
import { createEngine } from '@ticket-saga/runtime/engine';
import { diagramFile } from '../../modelling/diagram.ts';
import { engineClock } from './engine-clock.ts';
import { takeJobs } from './engine-jobs.ts';
import { followRecords } from './engine-records.ts';
import { followOrder, reservation, type Send } from './order.ts';

export type ProcessTest = ReturnType<typeof processTest>;

type ProcessId = 'ticket-order' | 'late-payment' | 'refund-order';

/**
 * Gives a test file the engine with a diagram of `bpmn/` deployed, from before its first test until after its last:
 *
 *     const saga = processTest();
 *     test('…', async () => {
 *       const order = await saga.placeOrder();
 *       await order.complete('ReserveTickets');
 *       await saga.clock.pass(timeToPayMs);
 *       expect(await order.end()).toEqual([…]);
 */
export function processTest(processId: ProcessId = 'ticket-order') {
  // Above the patience of the helpers, so that what a test fails with is their word on what did not come.
  jest.setTimeout(30_000);
  let running: Awaited<ReturnType<typeof openProcessTest>> | undefined;
  beforeAll(async () => {
    running = await openProcessTest(processId);
  });
  afterAll(() => running?.close());

  const opened = () => {
    if (!running) throw new Error('The engine is there in tests only, not while they are declared');
    return running;
  };
  return {
    get engine() {
      return opened().engine;
    },
    get clock() {
      return opened().clock;
    },
    /** Publishes a message to the order, as soon as its process waits for it. */
    send: (...message: Parameters<Send>) => opened().send(...message),
    /** Starts the process of a new order; what is not given is as usual. */
    placeOrder: (more: Partial<StartVariables> = {}) => opened().placeOrder(more),
    /** Starts the process of this file for an order that has ended. */
    start: (more: Partial<LatePaymentVariables> = {}) => opened().start(more),
    /** An order whose process begins at this element, as if it had been reserved before. */
    placeOrderAt: (elementId: string, orderId: string, more: object = {}) =>
      opened().placeOrderAt(elementId, orderId, more),
  };
}

async function openProcessTest(processId: ProcessId) {
  const address = setting('PROCESS_TEST_ENGINE');
  const engine = createEngine(address);
  const records = await followRecords(setting('PROCESS_TEST_LOG'));
  const clock = engineClock(setting('PROCESS_TEST_MANAGEMENT'));
  const jobs = await takeJobs(engine, processId);
  await engine.deploy(`${processId}.bpmn`, await readFile(diagramFile(processId)));

  const send: Send = (orderId, name, variables = {}) =>
    engine.publishMessage({
      name,
      correlationKey: orderId,
      messageId: randomUUID(),
      timeToLiveMs: cancelTimeToLiveMs,
      variables,
    });
  const follow = (orderId: string, instance: string) =>
    followOrder({ engine, jobs, records, clock, send }, { orderId, instance });

  return {
    engine,
    clock,
    send,
    async placeOrder(more: Partial<StartVariables>) {
      const variables = { ...usualOrder(), ...more };
      const { processInstanceKey } = await engine.startProcess(processId, variables);
      return follow(variables.orderId, processInstanceKey);
    },
    async start(more: Partial<LatePaymentVariables>) {
      const variables = { ...usualLateMoney(), ...more };
      const { processInstanceKey } = await engine.startProcess(processId, variables);
      return follow(variables.orderId, processInstanceKey);
    },
    async placeOrderAt(elementId: string, orderId: string, more: object) {
      const variables = { ...usualOrder(), orderId, ...(await reservation(clock)), ...more };
      return follow(orderId, await engine.startProcessAt(processId, elementId, variables));
    },
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

/** More than `refund-order` is started with, which does no harm. */
function usualLateMoney(): LatePaymentVariables {
  const orderId = randomUUID();
  const reservationId = lateReservation(orderId);
  return { orderId, reservationId, paymentDeadline: 'PT15M', reinstateWithin: 'PT1H' };
}

function setting(name: string): string {
  const value = process.env[name];
  if (!value) throw new Error(`${name} is not set: run these tests with --selectProjects process`);
  return value;
}
