/** The steps of an order as their own events tell them: what the timeline is made of. */
import { startStep } from '@ticket-saga/contract/jobs';
import type { HistoryState, PaymentState, Stage, StepState } from '@ticket-saga/contract/states';
import { type Diagram, type Exit, saga } from './diagram.ts';

export type StepError = { code: string; message: string };
export type StepEvent = {
  processInstanceKey: string;
  elementId: string;
  /** Empty where the event is not of one activation of the element. */
  elementInstanceKey?: string;
  stage: Stage;
  state: StepState;
  attempt: number;
  undo: string[];
  error: StepError | null;
  /** ISO 8601. */
  at: string;
};

/** Times in ms since the epoch. Waiting is from `waitingSince` to `startedAt`, work from there to `completedAt`. */
export type Step = {
  id: string;
  name: string;
  stage: Stage;
  state: StepState;
  waitingSince: number;
  startedAt: number | null;
  completedAt: number | null;
  attempts: number;
  error: StepError | null;
};

export type Past = {
  createdAt: number;
  payBy: number | null;
  finished: boolean;
  paymentState?: PaymentState | null;
  events: StepEvent[];
  history: { state: HistoryState; at: string }[];
};

/** A step while it is being folded. */
export type Run = Step & { undo: string[]; interrupted: boolean; exit: Exit };

const rank: Record<StepState, number> = {
  WAITING: 0,
  RUNNING: 1,
  RETRYING: 2,
  STUCK: 3,
  COMPLETED: 4,
  FAILED: 4,
  ROLLED_BACK: 5,
};

/** A second process instance for the same order finds that out in its first step; it is no part of the order's story. */
export function ownEvents(events: StepEvent[]): StepEvent[] {
  const duplicates = new Set(
    events.filter((event) => event.error?.code === 'DUPLICATE_PROCESS').map((event) => event.processInstanceKey),
  );
  // A worker that dies between its effect and the word to the engine has its job again: what it tells then is no news.
  const outcomes = new Map<string, number>();
  for (const event of events) if (isOutcome(event)) outcomes.set(activationOf(event), time(event));
  const isRepeat = (event: StepEvent) =>
    Boolean(event.elementInstanceKey) &&
    !isOutcome(event) &&
    time(event) > (outcomes.get(activationOf(event)) ?? Infinity);
  return events
    .filter((event) => !duplicates.has(event.processInstanceKey))
    .filter((event) => !isRepeat(event))
    .toSorted((a, b) => time(a) - time(b) || rank[a.state] - rank[b.state]);
}

const time = (event: { at: string }) => Date.parse(event.at);

const isOutcome = ({ state }: StepEvent) => state === 'COMPLETED' || state === 'FAILED';
const activationOf = ({ processInstanceKey, elementId, elementInstanceKey = '' }: StepEvent) =>
  `${processInstanceKey}:${elementId}:${elementInstanceKey}`;

/** What one process did for the order: the saga, then late money, then a refund. */
export type Story = { events: StepEvent[]; isSaga: boolean; finished: boolean };

const endsOfSaga: HistoryState[] = ['ORDER_CONFIRMED', 'ORDER_REJECTED', 'ORDER_CLOSED'];

/** The saga first, the others as they began. What belongs to no diagram is told with the saga. */
export function storiesOf(past: Past, diagram: Diagram): Story[] {
  const byProcess = new Map<string, StepEvent[]>([[saga, []]]);
  for (const event of ownEvents(past.events)) {
    const process = diagram.processOf(event.elementId) ?? saga;
    byProcess.set(process, [...(byProcess.get(process) ?? []), event]);
  }
  // A refund takes an order back into work that the saga has ended. How far the others are, their own steps tell.
  const sagaEnded = past.finished || past.history.some(({ state }) => endsOfSaga.includes(state));
  return [...byProcess].map(([process, events]) => {
    const isSaga = process === saga;
    return { events, isSaga, finished: isSaga && sagaEnded };
  });
}

/** One run for each element that told something, in the order in which they began; of the saga the start event first. */
export function begunSteps({ events, isSaga }: Story, past: Past, diagram: Diagram): Run[] {
  const runs = new Map<string, Run>();
  if (isSaga) {
    runs.set(startStep.elementId, {
      ...newRun(startStep.elementId, startStep.stage, past.createdAt, diagram),
      state: 'WAITING',
      startedAt: null,
    });
  }
  for (const event of events) {
    if (diagram.isWait(event.elementId)) continue;
    const at = time(event);
    const run = runs.get(event.elementId) ?? newRun(event.elementId, event.stage, at, diagram);
    runs.set(event.elementId, apply(run, event, at));
  }
  return [...runs.values()];
}

export function newRun(id: string, stage: Stage, at: number, diagram: Diagram): Run {
  return {
    id,
    name: diagram.nameOf(id) ?? id,
    stage,
    state: 'RUNNING',
    waitingSince: at,
    startedAt: at,
    completedAt: null,
    attempts: 1,
    error: null,
    undo: [],
    interrupted: false,
    exit: { by: 'completion' },
  };
}

function apply(run: Run, event: StepEvent, at: number): Run {
  const ended = event.state === 'COMPLETED' || event.state === 'FAILED';
  return {
    ...run,
    state: event.state,
    startedAt: run.startedAt ?? (event.state === 'STUCK' ? null : at),
    completedAt: ended ? at : null,
    attempts: Math.max(run.attempts, event.attempt),
    error: event.error,
    undo: event.undo,
    exit: event.state === 'FAILED' && event.error ? { by: 'error', code: event.error.code } : { by: 'completion' },
  };
}
