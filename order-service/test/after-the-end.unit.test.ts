/** The timeline of an order that several processes worked on. */
import { beforeAll, expect, it } from '@jest/globals';
import { jobs } from '@ticket-saga/contract/jobs';
import type { HistoryState, StepState } from '@ticket-saga/contract/states';
import { type Diagram, readDiagrams } from '../diagram.ts';
import type { Past, StepEvent } from '../runs.ts';
import { timeline } from '../timeline.ts';

const start = Date.parse('2026-11-21T10:00:00.000Z');
const at = (seconds: number) => new Date(start + seconds * 1000).toISOString();

let diagram: Diagram;
beforeAll(async () => {
  diagram = await readDiagrams();
});

function event(
  process: string,
  seconds: number,
  elementId: string,
  state: StepState,
  undo: readonly string[] | null = [],
) {
  const stage = diagram.stageOf(elementId) ?? 'Processing';
  const moved = { processInstanceKey: process, elementId, stage, state, attempt: 1, error: null, at: at(seconds) };
  return { ...moved, undo: [...(undo ?? [])] } satisfies StepEvent;
}
const ran = (process: string, seconds: number, elementId: string, undo: readonly string[] | null = []) => [
  event(process, seconds, elementId, 'RUNNING', undo),
  event(process, seconds + 0.5, elementId, 'COMPLETED', undo),
];
const fact = (seconds: number, state: HistoryState) => ({ state, at: at(seconds) });
const fold = (past: Partial<Past>) =>
  timeline({ createdAt: start, payBy: null, finished: true, events: [], history: [], ...past }, diagram);
const lines = (past: Partial<Past>) => fold(past).steps.map(({ id, state }) => `${id} ${state}`);

const released = jobs.releaseTickets.undo;
const cancelled = jobs.cancelPayment.undo;
const declined = () => [
  ...ran('saga', 1, 'OrderPlaced'),
  ...ran('saga', 2, 'ReserveTickets'),
  ...ran('saga', 3, 'RequestPayment'),
  ...ran('saga', 5, 'CancelPayment', cancelled),
  ...ran('saga', 6, 'ReleaseTickets', released),
  ...ran('saga', 8, 'CloseOrder', []),
];
const sagaLines = [
  'OrderPlaced COMPLETED',
  'ReserveTickets ROLLED_BACK',
  'RequestPayment ROLLED_BACK',
  'WaitForPayment FAILED',
  'CancelPayment COMPLETED',
  'ReleaseTickets COMPLETED',
  'CloseOrder COMPLETED',
];
const history = [fact(4, 'PAYMENT_FAILED'), fact(8.5, 'ORDER_CLOSED')];
const reinstated = () => [
  ...ran('late', 7, 'CheckLatePayment'),
  ...ran('late', 17, 'CheckLatePayment'),
  ...ran('late', 18, 'ReserveLateTickets'),
  ...ran('late', 19, 'ConfirmLateTickets'),
  ...ran('late', 20, 'AcceptPayment'),
  ...ran('late', 21, 'ReinstateOrder'),
];

it('late money is told after the saga, though it began before the saga had ended', () => {
  expect(lines({ events: [...declined(), ...reinstated()], history })).toEqual([
    ...sagaLines,
    'CheckLatePayment COMPLETED',
    'ReserveLateTickets COMPLETED',
    'ConfirmLateTickets COMPLETED',
    'AcceptPayment COMPLETED',
    'ReinstateOrder COMPLETED',
  ]);
});

it('the undo of the ended order rolls back nothing of what follows it', () => {
  const { steps } = fold({ events: [...declined(), ...reinstated()], history });
  expect(steps.find(({ id }) => id === 'AcceptPayment')?.state).toBe('COMPLETED');
});

it('a step of late money that waits or is stuck shows, although the order has ended', () => {
  const events = [...declined(), ...reinstated().slice(0, 6)];
  expect(fold({ events, history }).current).toMatchObject({ id: 'ConfirmLateTickets', state: 'WAITING' });
  const stuck = [...events, event('late', 20, 'ConfirmLateTickets', 'STUCK')];
  expect(fold({ events: stuck, history }).current).toMatchObject({ id: 'ConfirmLateTickets', state: 'STUCK' });
});

it('late money whose tickets are let go again shows them as rolled back', () => {
  const events = [...declined(), ...reinstated().slice(0, 6), ...ran('late', 20, 'ReleaseLateTickets', released)];
  expect(lines({ events: [...events, ...ran('late', 21, 'RefundLatePayment')], history }).slice(-5)).toEqual([
    'CheckLatePayment COMPLETED',
    'ReserveLateTickets ROLLED_BACK',
    'ReleaseLateTickets COMPLETED',
    'RefundLatePayment COMPLETED',
    'NoteRefund WAITING',
  ]);
});

it('a refund takes the order back into work, and rolls back all that sold it', () => {
  const refund = [...ran('refund', 30, 'StartRefund'), ...ran('refund', 31, 'RefundPayment', cancelled)];
  const events = [...declined(), ...reinstated(), ...refund];
  const working = fold({ events, history, finished: false });
  expect(working.current).toMatchObject({ id: 'ReleaseRefundedTickets', state: 'WAITING' });
  const done = [
    ...events,
    ...ran('refund', 32, 'ReleaseRefundedTickets', released),
    ...ran('refund', 33, 'CloseRefundedOrder', []),
  ];
  expect(lines({ events: done, history })).toEqual([
    ...sagaLines,
    'CheckLatePayment COMPLETED',
    'ReserveLateTickets ROLLED_BACK',
    'ConfirmLateTickets ROLLED_BACK',
    'AcceptPayment ROLLED_BACK',
    'ReinstateOrder COMPLETED',
    'StartRefund COMPLETED',
    'RefundPayment COMPLETED',
    'ReleaseRefundedTickets COMPLETED',
    'CloseRefundedOrder COMPLETED',
  ]);
});

it('a last step whose worker died after its effect, and ran once more, is still done', () => {
  const once = reinstated().map((one) => ({ ...one, elementInstanceKey: `${one.elementId} ${one.at.slice(0, 19)}` }));
  const again = {
    ...event('late', 60, 'ReinstateOrder', 'RUNNING'),
    elementInstanceKey: once.at(-1)?.elementInstanceKey ?? '',
  };
  const past = { events: [...declined(), ...once, again], history };
  expect(fold(past).current).toBeNull();
  expect(lines(past).at(-1)).toBe('ReinstateOrder COMPLETED');
});
