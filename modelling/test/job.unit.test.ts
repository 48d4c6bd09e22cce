import { describe, expect, test } from '@jest/globals';
import type { ActivatedJob } from '@ticket-saga/runtime/engine';
import { businessError, completion, failure, messageVariables } from '../job-answers.ts';
import { withJobsOf } from '../job-find.ts';
import { describeJob } from '../job-list.ts';
import { type OrderSeen, whyNothing } from '../job-order.ts';
import { readSteps, type Step, typesToTry } from '../job-places.ts';

const step = (id: string, more: Partial<Step> = {}): Step => ({
  id,
  name: `The ${id}`,
  type: undefined,
  messages: [],
  timer: false,
  ...more,
});

describe('Completing a step by hand', () => {
  test('takes what the contract says that the worker gives back', () => {
    expect(completion('close-payment', '{"paymentOutcome":"APPROVED"}')).toEqual({ paymentOutcome: 'APPROVED' });
    expect(completion('release-tickets', undefined)).toEqual({});
  });

  test('refuses what the worker would never give back, and shows what it would', () => {
    expect(() => completion('close-payment', '{"paymentOutcome":"PAID"}')).toThrow(
      /gives back paymentOutcome \(one of APPROVED, DECLINED, VOIDED\)[^]*For example: '{"paymentOutcome":"APPROVED"}'/,
    );
    expect(() => completion('close-payment', '{"paymentoutcome":"APPROVED"}')).toThrow(/paymentoutcome/);
    expect(() => completion('release-tickets', '{"released":1}')).toThrow(/gives back nothing/);
    expect(() => completion('close-payment', 'APPROVED')).toThrow(/no JSON object: APPROVED/);
  });

  test('shows an example that it would take itself', () => {
    const words = /For example: '(.*)'/.exec(messageOf(() => completion('reserve-tickets', '{}')))?.[1];
    expect(completion('reserve-tickets', words)).toMatchObject({ total: 1 });
  });

  test('lets a job that only the diagram knows give back anything', () => {
    expect(completion('send-mail', '{"sent":true}')).toEqual({ sent: true });
  });
});

describe('Ending a step with an error by hand', () => {
  test('sends the reason along as a worker does', () => {
    expect(businessError('reserve-tickets', 'SOLD_OUT', undefined)).toEqual({
      errorCode: 'SOLD_OUT',
      errorMessage: 'There are not enough tickets left.',
      variables: { reasonCode: 'SOLD_OUT', reasonMessage: 'There are not enough tickets left.' },
    });
    expect(businessError('reserve-tickets', 'DUPLICATE_PROCESS', undefined).variables).toEqual({});
  });

  test('refuses a code that the job does not know, and names those that it knows', () => {
    expect(() => businessError('confirm-tickets', 'SOLD_OUT', undefined)).toThrow(
      'confirm-tickets never ends with SOLD_OUT: it may end with RESERVATION_EXPIRED.',
    );
    expect(() => businessError('cancel-payment', 'SOLD_OUT', undefined)).toThrow(/ends with no error/);
  });

  test('wants to know why an order was stopped: without a reason it could not be closed', () => {
    expect(() => businessError('complete-order', 'ORDER_STOPPED', undefined)).toThrow(/CANCELLED_BY_CUSTOMER/);
    expect(businessError('complete-order', 'ORDER_STOPPED', '{"reasonCode":"ABORTED_BY_OPERATOR"}').variables).toEqual({
      reasonCode: 'ABORTED_BY_OPERATOR',
    });
  });
});

test('a failed step has one try less, or none when it is to be stuck', () => {
  expect(failure(5, 'away', false)).toEqual({ errorMessage: 'away', retries: 4, retryBackOff: 0 });
  expect(failure(5, 'away', true).retries).toBe(0);
});

test('a message is checked as a worker’s answer is', () => {
  expect(messageVariables('payment-callback', '{"paymentOutcome":"DECLINED"}')).toEqual({ paymentOutcome: 'DECLINED' });
  expect(() => messageVariables('payment-callback', undefined)).toThrow(/brings paymentOutcome/);
  expect(messageVariables('mail-opened', '{"at":1}')).toEqual({ at: 1 });
});

describe('Looking for the jobs of an order', () => {
  const job = (key: string, type: string, orderId: string): ActivatedJob => ({
    key,
    type,
    processInstanceKey: '1',
    elementId: `Do-${type}`,
    elementInstanceKey: '2',
    retries: 3,
    deadline: '0',
    variables: { orderId },
  });

  function engineWith(waiting: ActivatedJob[]) {
    const back: { key: string; retries: number; retryBackOff: number }[] = [];
    const asked: string[] = [];
    return {
      back,
      asked,
      activateJobs: async ({ type }: { type: string }) => {
        asked.push(type);
        const found = waiting.filter((it) => it.type === type);
        waiting = waiting.filter((it) => it.type !== type);
        return found;
      },
      failJob: async (key: string, { retries, retryBackOff }: { retries: number; retryBackOff: number }) => {
        back.push({ key, retries, retryBackOff });
      },
    };
  }

  test('those of others are given back with all their tries, and the answered one is not', async () => {
    const engine = engineWith([job('1', 'a', 'other'), job('2', 'a', 'mine'), job('3', 'b', 'mine')]);
    await withJobsOf(engine, 'mine', ['a', 'b'], true, async (jobs) => jobs.map(({ key }) => key));
    expect(engine.back).toEqual([{ key: '1', retries: 3, retryBackOff: 0 }]);
    expect(engine.asked).toEqual(['a']);
  });

  test('all are given back when the answer fails', async () => {
    const engine = engineWith([job('2', 'a', 'mine'), job('3', 'b', 'mine')]);
    const failing = withJobsOf(engine, 'mine', ['a', 'b'], false, async () => Promise.reject(new Error('mistyped')));
    await expect(failing).rejects.toThrow('mistyped');
    expect(engine.back.map(({ key }) => key)).toEqual(['2', '3']);
  });

  test('begins where the order stands, then with what no worker does', () => {
    const steps = [step('A', { type: 'reserve-tickets' }), step('B', { type: 'send-mail' }), step('C', { type: 'x' })];
    expect(typesToTry(steps, 'C', ['named']).slice(0, 4)).toEqual(['x', 'named', 'send-mail', 'reserve-tickets']);
    expect(typesToTry(steps, undefined, [])).toContain('close-order');
  });

  test('the diagrams say what each step waits for', async () => {
    const steps = await readSteps();
    expect(steps.find(({ id }) => id === 'ReserveTickets')).toMatchObject({ type: 'reserve-tickets', messages: [] });
    expect(steps.find(({ id }) => id === 'WaitForPayment')).toEqual({
      id: 'WaitForPayment',
      name: 'Wait for payment',
      type: undefined,
      messages: ['payment-callback', 'cancel-order'],
      timer: true,
    });
  });
});

describe('When no step of the order waits for a worker', () => {
  const seen = (state: OrderSeen['steps'][number]['state'], more: Partial<OrderSeen> = {}): OrderSeen => ({
    status: 'AWAITING_PAYMENT',
    finished: false,
    currentStep: 'Pay',
    payBy: '2026-01-01T00:00:00.000Z',
    steps: [{ id: 'Pay', name: 'Pay', state, error: { message: 'the provider is away' } }],
    ...more,
  });
  const waiting = [step('Pay', { messages: ['payment-callback', 'cancel-order'], timer: true })];

  test.each<[string, RegExp]>([
    [
      whyNothing('1', seen('RUNNING'), waiting),
      /waits for the message payment-callback or cancel-order, or until 2026/,
    ],
    [whyNothing('1', seen('RUNNING'), []), /stands at "Pay" \(Pay\), RUNNING: a worker has it in hand/],
    [whyNothing('1', seen('RETRYING'), []), /tries again soon \(the provider is away\)/],
    [whyNothing('1', seen('STUCK'), waiting), /is stuck: the provider is away/],
    [whyNothing('1', seen('RUNNING', { finished: true, status: 'CONFIRMED' }), waiting), /has ended: CONFIRMED/],
    [whyNothing('1', { away: 'order-service does not answer' }, waiting), /order-service does not answer/],
  ])('the reason is told: %s', (told, expected) => expect(told).toMatch(expected));
});

test('a job is listed with what it has and the commands that answer it', () => {
  const told = describeJob(
    '42',
    {
      key: '1',
      type: 'close-payment',
      processInstanceKey: '1',
      elementId: 'ClosePayment',
      elementInstanceKey: '1',
      retries: 5,
      deadline: '0',
      variables: { orderId: '42' },
    },
    [step('ClosePayment')],
  );
  expect(told).toContain('The ClosePayment (ClosePayment; job close-payment, worker of payment-service; 5 tries left)');
  expect(told).toContain(`npm run job -- complete 42 '{"paymentOutcome":"APPROVED"}'`);
});

function messageOf(act: () => unknown): string {
  try {
    act();
  } catch (error) {
    return String(error);
  }
  return '';
}
