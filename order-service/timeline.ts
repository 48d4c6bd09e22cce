/**
 * An order's timeline: a pure fold of what the steps told. Sorted by when things happened, not by when they were heard
 * of; what waits, and since when, comes from the last event and the diagram.
 */
import { reasons } from '@ticket-saga/contract/errors';
import { startStep } from '@ticket-saga/contract/jobs';
import { messages } from '@ticket-saga/contract/messages';
import type { HistoryState, PaymentOutcome, Stage, StepState } from '@ticket-saga/contract/states';
import type { Diagram, Exit, Facts } from './diagram.ts';

export type StepError = { code: string; message: string };
export type StepEvent = {
  processInstanceKey: string;
  elementId: string;
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
  events: StepEvent[];
  history: { state: HistoryState; at: string }[];
};

export type Timeline = { steps: Step[]; current: Step | null };

type Run = Step & { undo: string[]; interrupted: boolean; exit: Exit };

const rank: Record<StepState, number> = {
  WAITING: 0,
  RUNNING: 1,
  RETRYING: 2,
  STUCK: 3,
  COMPLETED: 4,
  FAILED: 4,
  ROLLED_BACK: 5,
};
const hasEnded = (step: Step) => step.completedAt !== null;
const completion: Exit = { by: 'completion' };

export function timeline(past: Past, diagram: Diagram): Timeline {
  const outcome = paymentOutcome(past.history);
  const runs = withWaits(begunSteps(ownEvents(past.events), past, diagram), past, outcome, diagram);
  runs.forEach((run, index) => settle(run, runs[index - 1], runs[index + 1], past, diagram));
  const coming = past.finished ? [] : predicted(runs, outcome, diagram);
  rollBack(runs);
  const steps = [...runs.map(asStep), ...coming];
  return { steps, current: steps.findLast((step) => !hasEnded(step)) ?? null };
}

/** A second process instance for the same order finds that out in its first step; it is no part of the order's story. */
function ownEvents(events: StepEvent[]): StepEvent[] {
  const duplicates = new Set(
    events.filter((event) => event.error?.code === 'DUPLICATE_PROCESS').map((event) => event.processInstanceKey),
  );
  return events
    .filter((event) => !duplicates.has(event.processInstanceKey))
    .toSorted((a, b) => time(a) - time(b) || rank[a.state] - rank[b.state]);
}

const time = (event: { at: string }) => Date.parse(event.at);

/** One run for each element that told something, in the order in which they began; the start event first. */
function begunSteps(events: StepEvent[], past: Past, diagram: Diagram): Run[] {
  const runs = new Map<string, Run>();
  runs.set(startStep.elementId, {
    ...newRun(startStep.elementId, startStep.stage, past.createdAt, diagram),
    state: 'WAITING',
    startedAt: null,
  });
  for (const event of events) {
    if (diagram.isWait(event.elementId)) continue;
    const at = time(event);
    const run = runs.get(event.elementId) ?? newRun(event.elementId, event.stage, at, diagram);
    runs.set(event.elementId, apply(run, event, at));
  }
  return [...runs.values()];
}

function newRun(id: string, stage: Stage, at: number, diagram: Diagram): Run {
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
    exit: completion,
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
    exit: event.state === 'FAILED' && event.error ? { by: 'error', code: event.error.code } : completion,
  };
}

/** A wait has no worker that tells of it: it begins when the step before it is done, and ends by news or by what follows. */
function withWaits(runs: Run[], past: Past, outcome: Outcome | undefined, diagram: Diagram): Run[] {
  return runs.flatMap((run, index) => {
    if (run.state !== 'COMPLETED' || run.completedAt === null) return [run];
    const [id, ...others] = diagram.next(run.id, completion, factsOf(runs, undefined));
    if (id === undefined || others.length > 0 || !diagram.isWait(id)) return [run];
    const began = run.completedAt;
    const wait: Run = {
      ...newRun(id, diagram.stageOf(id) ?? run.stage, began, diagram),
      state: 'WAITING',
      startedAt: null,
    };
    const trouble = ownEvents(past.events).findLast((event) => event.elementId === id);
    if (trouble) Object.assign(wait, { error: trouble.error, state: trouble.state });
    const followed = runs[index + 1]?.waitingSince ?? Infinity;
    if (outcome && outcome.value !== 'VOIDED' && outcome.at <= followed) {
      const exit: Exit = { by: 'message', name: messages.paymentCallback.name };
      return [
        run,
        endWait({ ...wait, exit }, Math.max(began, outcome.at), outcome.value === 'DECLINED' && 'PAYMENT_DECLINED'),
      ];
    }
    return [run, wait];
  });
}

function endWait(wait: Run, at: number, failure: false | keyof typeof reasons): Run {
  const error = failure ? { code: failure, message: reasons[failure] } : null;
  return { ...wait, state: failure ? 'FAILED' : 'COMPLETED', startedAt: at, completedAt: at, error };
}

/** Fills in what the events did not tell: since when it waited, and that it ended when a later step began. */
function settle(run: Run, before: Run | undefined, after: Run | undefined, past: Past, diagram: Diagram): void {
  if (before && before.completedAt !== null && run.startedAt !== null)
    run.waitingSince = Math.min(before.completedAt, run.startedAt);
  if (hasEnded(run) || (!after && !past.finished)) return;
  const at = after?.startedAt ?? after?.waitingSince ?? Math.max(run.waitingSince, run.startedAt ?? 0);
  if (after && diagram.overTimer(run.id, after.id)) {
    const rang = past.payBy !== null && past.payBy <= at ? Math.max(past.payBy, run.waitingSince) : at;
    Object.assign(run, endedByTimer(run, rang, diagram));
  } else if (!after || mayFollow(run.id, after.id, diagram)) {
    // Its own word is still on the way.
    Object.assign(run, { state: 'COMPLETED', startedAt: run.startedAt ?? at, completedAt: at, error: null });
  } else {
    Object.assign(run, { state: 'FAILED', startedAt: run.startedAt ?? at, completedAt: at, interrupted: true });
  }
}

function endedByTimer(run: Run, at: number, diagram: Diagram): Partial<Run> {
  if (diagram.isWait(run.id)) return endWait(run, at, 'PAYMENT_TIMEOUT');
  return { state: 'FAILED', startedAt: run.startedAt ?? at, completedAt: at, interrupted: true };
}

const mayFollow = (from: string, to: string, diagram: Diagram) =>
  diagram.next(from, completion, { variables: {}, completed: () => true }).includes(to);

/** What waits next, where the diagram and the facts leave one step only. */
function predicted(runs: Run[], outcome: Outcome | undefined, diagram: Diagram): Step[] {
  const last = runs.at(-1);
  if (!last || last.completedAt === null) return [];
  const [id, ...others] = diagram.next(last.id, last.exit, factsOf(runs, outcome));
  if (id === undefined || others.length > 0 || runs.some((run) => run.id === id)) return [];
  const stage = diagram.stageOf(id) ?? last.stage;
  return [asStep({ ...newRun(id, stage, last.completedAt, diagram), state: 'WAITING', startedAt: null, attempts: 0 })];
}

function factsOf(runs: Run[], outcome: Outcome | undefined): Facts {
  return {
    variables: outcome ? { paymentOutcome: outcome.value } : {},
    completed: (id: string) => runs.some((run) => run.id === id && run.state === 'COMPLETED'),
  };
}

/** An undo that is done rolls back the steps that it names, as far as there was something to undo. */
function rollBack(runs: Run[]): void {
  const undone = new Set(runs.filter((run) => run.state === 'COMPLETED').flatMap((run) => run.undo));
  for (const run of runs) {
    if (undone.has(run.id) && (run.state === 'COMPLETED' || run.interrupted)) run.state = 'ROLLED_BACK';
  }
}

type Outcome = { value: PaymentOutcome; at: number };

const outcomes: Partial<Record<HistoryState, PaymentOutcome>> = {
  PAYMENT_COMPLETED: 'APPROVED',
  PAYMENT_FAILED: 'DECLINED',
  PAYMENT_VOIDED: 'VOIDED',
};

/** How the payment ended first, as the process sees it. */
function paymentOutcome(history: Past['history']): Outcome | undefined {
  return history
    .flatMap(({ state, at }) => {
      const value = outcomes[state];
      return value ? [{ value, at: Date.parse(at) }] : [];
    })
    .toSorted((a, b) => a.at - b.at)[0];
}

function asStep({ undo: _undo, interrupted: _interrupted, exit: _exit, ...step }: Run): Step {
  return step;
}
