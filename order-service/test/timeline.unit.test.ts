import { beforeAll, describe, expect, it } from '@jest/globals';
import type { HistoryState, StepState } from '@ticket-saga/contract/states';
import { type Diagram, readDiagram } from '../diagram.ts';
import type { Past, StepEvent } from '../runs.ts';
import { timeline } from '../timeline.ts';

const start = Date.parse('2026-11-21T10:00:00.000Z');
/** Seconds after the order was placed. */
const at = (seconds: number) => new Date(start + seconds * 1000).toISOString();
const secondsOf = (ms: number | null) => (ms === null ? null : (ms - start) / 1000);

let diagram: Diagram;
beforeAll(async () => {
  diagram = await readDiagram();
});

function event(seconds: number, elementId: string, state: StepState, more: Partial<StepEvent> = {}): StepEvent {
  const stage = diagram.stageOf(elementId) ?? 'Processing';
  return {
    processInstanceKey: '1',
    elementId,
    stage,
    state,
    attempt: 1,
    undo: [],
    error: null,
    at: at(seconds),
    ...more,
  };
}
/** A step that ran from its start to its end. */
const ran = (elementId: string, from: number, to: number, more: Partial<StepEvent> = {}): StepEvent[] => [
  event(from, elementId, 'RUNNING'),
  event(to, elementId, 'COMPLETED', more),
];
const fact = (seconds: number, state: HistoryState) => ({ state, at: at(seconds) });
const fold = (past: Partial<Past>) =>
  timeline({ createdAt: start, payBy: null, finished: false, events: [], history: [], ...past }, diagram);
/** `id state waitingSince-startedAt-completedAt` in seconds. */
const lines = (past: Partial<Past>) =>
  fold(past).steps.map(
    (step) =>
      `${step.id} ${step.state} ${secondsOf(step.waitingSince)}-${secondsOf(step.startedAt) ?? ''}-${secondsOf(step.completedAt) ?? ''}`,
  );

const started = () => [event(1, 'OrderPlaced', 'COMPLETED')];
const reserved = () => [...started(), ...ran('ReserveTickets', 2, 3)];
const requested = () => [...reserved(), ...ran('RequestPayment', 5, 6)];
const undoPayment = ['RequestPayment', 'WaitForPayment'];
const undoTickets = ['ReserveTickets', 'ConfirmTickets'];

describe('on the way to a confirmed order', () => {
  it('an order that no process runs for yet waits to be started', () => {
    const { steps, current } = fold({});
    expect(steps).toEqual([
      {
        id: 'OrderPlaced',
        name: 'Order placed',
        stage: 'Scheduling',
        state: 'WAITING',
        waitingSince: start,
        startedAt: null,
        completedAt: null,
        attempts: 1,
        error: null,
      },
    ]);
    expect(current?.id).toBe('OrderPlaced');
  });

  it('the step that comes next waits since the one before it ended', () => {
    expect(lines({ events: started() })).toEqual(['OrderPlaced COMPLETED 0-1-1', 'ReserveTickets WAITING 1--']);
    expect(fold({ events: started() }).current).toMatchObject({
      id: 'ReserveTickets',
      name: 'Reserve tickets',
      stage: 'Pre-Processing',
      attempts: 0,
    });
  });

  it('waiting and working time are apart', () => {
    expect(lines({ events: [...reserved(), event(5, 'RequestPayment', 'RUNNING')] })).toEqual([
      'OrderPlaced COMPLETED 0-1-1',
      'ReserveTickets COMPLETED 1-2-3',
      'RequestPayment RUNNING 3-5-',
    ]);
  });

  it('the wait for the payment is a step of its own', () => {
    const { current } = fold({ events: requested() });
    expect(current).toMatchObject({
      id: 'WaitForPayment',
      name: 'Wait for payment',
      stage: 'Processing',
      state: 'WAITING',
    });
    expect(secondsOf(current?.waitingSince ?? null)).toBe(6);
  });

  it('the approval ends the wait, and the tickets wait to be confirmed', () => {
    expect(lines({ events: requested(), history: [fact(60, 'PAYMENT_COMPLETED')] }).slice(3)).toEqual([
      'WaitForPayment COMPLETED 6-60-60',
      'ConfirmTickets WAITING 60--',
    ]);
  });

  it('an approval that came before the wait lets nobody wait', () => {
    expect(lines({ events: requested(), history: [fact(5.5, 'PAYMENT_COMPLETED')] })[3]).toBe(
      'WaitForPayment COMPLETED 6-6-6',
    );
  });

  it('a confirmed order has every step done and none to come', () => {
    const events = [...requested(), ...ran('ConfirmTickets', 61, 62), ...ran('CompleteOrder', 63, 64)];
    const history = [fact(60, 'PAYMENT_COMPLETED')];
    expect(lines({ events, history, finished: true })).toEqual([
      'OrderPlaced COMPLETED 0-1-1',
      'ReserveTickets COMPLETED 1-2-3',
      'RequestPayment COMPLETED 3-5-6',
      'WaitForPayment COMPLETED 6-60-60',
      'ConfirmTickets COMPLETED 60-61-62',
      'CompleteOrder COMPLETED 62-63-64',
    ]);
    expect(fold({ events, history, finished: true }).current).toBeNull();
  });

  it('a step whose end is still to be heard of counts as done once its successor runs', () => {
    const events = [...started(), event(2, 'ReserveTickets', 'RUNNING'), event(5, 'RequestPayment', 'RUNNING')];
    expect(lines({ events }).slice(1)).toEqual(['ReserveTickets COMPLETED 1-2-5', 'RequestPayment RUNNING 5-5-']);
  });

  it('the order in which the events are heard does not matter', () => {
    const events = [...requested(), ...ran('ConfirmTickets', 61, 62)];
    const history = [fact(60, 'PAYMENT_COMPLETED')];
    expect(lines({ events: events.toReversed(), history })).toEqual(lines({ events, history }));
  });

  it('a step whose start was lost began at the latest when it ended', () => {
    const events = [...started(), event(3, 'ReserveTickets', 'COMPLETED')];
    expect(lines({ events })[1]).toBe('ReserveTickets COMPLETED 1-3-3');
  });
});

describe('a step in trouble', () => {
  const error = { code: 'PROVIDER_UNAVAILABLE', message: 'The provider answers 503.' };
  const retried = () => [
    ...reserved(),
    event(5, 'RequestPayment', 'RUNNING'),
    event(6, 'RequestPayment', 'RETRYING', { error }),
    event(7, 'RequestPayment', 'RUNNING', { attempt: 2 }),
    event(8, 'RequestPayment', 'RETRYING', { attempt: 2, error }),
  ];
  const stuck = () => [...retried(), event(30, 'RequestPayment', 'STUCK', { attempt: 5, error })];

  it('that is tried again says how often and why', () => {
    expect(fold({ events: retried() }).current).toMatchObject({
      id: 'RequestPayment',
      state: 'RETRYING',
      attempts: 2,
      error,
    });
  });

  it('whose tries are used up is stuck', () => {
    const { current } = fold({ events: stuck() });
    expect(current).toMatchObject({ id: 'RequestPayment', state: 'STUCK', attempts: 5, error, completedAt: null });
    expect(secondsOf(current?.startedAt ?? null)).toBe(5);
  });

  it('goes on when an operator has it tried again', () => {
    const events = [...stuck(), event(99, 'RequestPayment', 'COMPLETED', { attempt: 5 })];
    expect(fold({ events }).steps[2]).toMatchObject({ state: 'COMPLETED', attempts: 5, error: null });
    expect(lines({ events }).at(-1)).toBe('WaitForPayment WAITING 99--');
  });

  it('that is interrupted by the deadline failed, and is rolled back with its undo', () => {
    const closing = [...stuck(), event(100, 'ClosePayment', 'RUNNING')];
    expect(lines({ events: closing, payBy: start + 90_000 }).slice(2)).toEqual([
      'RequestPayment FAILED 3-5-90',
      'ClosePayment RUNNING 90-100-',
    ]);
    const undone = [
      ...stuck(),
      ...ran('ClosePayment', 100, 101),
      ...ran('CancelPayment', 102, 103, { undo: undoPayment }),
    ];
    expect(fold({ events: undone, payBy: start + 90_000 }).steps[2]).toMatchObject({ state: 'ROLLED_BACK', error });
  });

  it('a payment closed before the provider heard of it is undone next, though no history says that it is void', () => {
    const closed = [...requested(), ...ran('ClosePayment', 20, 21)];
    for (const paymentState of ['VOIDED', 'REFUNDED'] as const) {
      const { current } = fold({ events: closed, payBy: start + 10_000, paymentState });
      expect(current).toMatchObject({ id: 'CancelPayment', state: 'WAITING' });
    }
  });

  it('an order whose event went to the dead letters is stuck before its start', () => {
    const letter = { code: 'UNREADABLE_MESSAGE', message: 'items: too many' };
    const lost = event(1, 'OrderPlaced', 'STUCK', { processInstanceKey: '', error: letter });
    expect(fold({ events: [lost] }).current).toMatchObject({
      id: 'OrderPlaced',
      state: 'STUCK',
      error: letter,
      startedAt: null,
    });
    const replayed = [lost, event(50, 'OrderPlaced', 'COMPLETED')];
    expect(lines({ events: replayed })).toEqual(['OrderPlaced COMPLETED 0-50-50', 'ReserveTickets WAITING 50--']);
    const running = [lost, event(50, 'ReserveTickets', 'RUNNING')];
    expect(fold({ events: running }).steps[0]).toMatchObject({ state: 'COMPLETED', error: null });
  });

  it('a payment answer that is wrong shows at the wait, which goes on', () => {
    const wrong = event(20, 'WaitForPayment', 'WAITING', {
      error: { code: 'AMOUNT_MISMATCH', message: 'wrong amount' },
    });
    expect(fold({ events: [...requested(), wrong] }).current).toMatchObject({
      id: 'WaitForPayment',
      state: 'WAITING',
      error: { code: 'AMOUNT_MISMATCH' },
    });
    expect(fold({ events: [...requested(), wrong], history: [fact(30, 'PAYMENT_COMPLETED')] }).steps[3]).toMatchObject({
      state: 'COMPLETED',
      error: null,
    });
  });
});

describe('an order that does not come about', () => {
  const soldOut = { code: 'SOLD_OUT', message: 'There are not enough tickets left.' };

  it('shows where it failed, and waits to be rejected', () => {
    const events = [
      ...started(),
      event(2, 'ReserveTickets', 'RUNNING'),
      event(3, 'ReserveTickets', 'FAILED', { error: soldOut }),
    ];
    expect(fold({ events }).steps[1]).toMatchObject({ state: 'FAILED', error: soldOut });
    expect(fold({ events }).current).toMatchObject({ id: 'RejectOrder', name: 'Reject order', state: 'WAITING' });
  });

  it('rolls back in reverse order after a decline', () => {
    const history = [fact(60, 'PAYMENT_FAILED')];
    const declined = requested();
    expect(lines({ events: declined, history }).slice(3)).toEqual([
      'WaitForPayment FAILED 6-60-60',
      'CancelPayment WAITING 60--',
    ]);
    const cancelled = [...declined, ...ran('CancelPayment', 61, 62, { undo: undoPayment })];
    expect(lines({ events: cancelled, history }).slice(1)).toEqual([
      'ReserveTickets COMPLETED 1-2-3',
      'RequestPayment ROLLED_BACK 3-5-6',
      'WaitForPayment FAILED 6-60-60',
      'CancelPayment COMPLETED 60-61-62',
      'ReleaseTickets WAITING 62--',
    ]);
    const released = [...cancelled, ...ran('ReleaseTickets', 63, 64, { undo: undoTickets })];
    expect(lines({ events: released, history }).slice(1)).toEqual([
      'ReserveTickets ROLLED_BACK 1-2-3',
      'RequestPayment ROLLED_BACK 3-5-6',
      'WaitForPayment FAILED 6-60-60',
      'CancelPayment COMPLETED 60-61-62',
      'ReleaseTickets COMPLETED 62-63-64',
      'CloseOrder WAITING 64--',
    ]);
  });

  it('ends the wait at the deadline, and asks the provider', () => {
    const events = [...requested(), event(905, 'ClosePayment', 'RUNNING')];
    expect(lines({ events, payBy: start + 903_000 }).slice(3)).toEqual([
      'WaitForPayment FAILED 6-903-903',
      'ClosePayment RUNNING 903-905-',
    ]);
    const paid = [...requested(), ...ran('ClosePayment', 905, 906)];
    expect(lines({ events: paid, history: [fact(906, 'PAYMENT_COMPLETED')] }).at(-1)).toBe(
      'ConfirmTickets WAITING 906--',
    );
    expect(lines({ events: paid, history: [fact(906, 'PAYMENT_VOIDED')] }).at(-1)).toBe('CancelPayment WAITING 906--');
  });

  it('ends the wait when the customer cancels', () => {
    const events = [...requested(), ...ran('CancelPayment', 30, 31, { undo: undoPayment })];
    expect(lines({ events }).slice(2)).toEqual([
      'RequestPayment ROLLED_BACK 3-5-6',
      'WaitForPayment ROLLED_BACK 6-30-30',
      'CancelPayment COMPLETED 30-30-31',
      'ReleaseTickets WAITING 31--',
    ]);
  });

  it('undoes the reservation when the tickets were gone after the payment', () => {
    const error = { code: 'RESERVATION_EXPIRED', message: 'gone' };
    const events = [
      ...requested(),
      event(61, 'ConfirmTickets', 'RUNNING'),
      event(62, 'ConfirmTickets', 'FAILED', { error }),
    ];
    const history = [fact(60, 'PAYMENT_COMPLETED')];
    expect(lines({ events, history }).at(-1)).toBe('CancelPayment WAITING 62--');
  });

  it('undoes what an abort interrupted', () => {
    const events = [
      ...requested(),
      ...ran('StopOrder', 30, 31, { undo: [] }),
      ...ran('AbortCancelPayment', 32, 33, { undo: undoPayment }),
      ...ran('AbortReleaseTickets', 34, 35, { undo: undoTickets }),
    ];
    expect(lines({ events }).slice(1)).toEqual([
      'ReserveTickets ROLLED_BACK 1-2-3',
      'RequestPayment ROLLED_BACK 3-5-6',
      'WaitForPayment ROLLED_BACK 6-30-30',
      'StopOrder COMPLETED 30-30-31',
      'AbortCancelPayment COMPLETED 31-32-33',
      'AbortReleaseTickets COMPLETED 33-34-35',
      'AbortCloseOrder WAITING 35--',
    ]);
  });
});

it('a second process instance for the same order is no part of its story', () => {
  const second = { processInstanceKey: '2' };
  const duplicate = [
    event(1.5, 'OrderPlaced', 'COMPLETED', second),
    event(7, 'ReserveTickets', 'RUNNING', second),
    event(8, 'ReserveTickets', 'FAILED', { ...second, error: { code: 'DUPLICATE_PROCESS', message: 'again' } }),
  ];
  expect(lines({ events: [...requested(), ...duplicate] })).toEqual(lines({ events: requested() }));
});

it('an element that the diagram does not know keeps its id as its name', () => {
  const stuck = event(2, 'Renamed', 'STUCK', { error: { code: 'INCIDENT', message: 'x' } });
  expect(fold({ events: [...started(), stuck] }).current).toMatchObject({
    id: 'Renamed',
    name: 'Renamed',
    state: 'STUCK',
  });
});
