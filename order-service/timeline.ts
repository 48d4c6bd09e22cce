/**
 * An order's timeline: a pure fold of what the steps told. Sorted by when things happened, not by when they were heard
 * of; what waits, and since when, comes from the last event and the diagram.
 */
import { reasons } from '@ticket-saga/contract/errors';
import { messages } from '@ticket-saga/contract/messages';
import type { HistoryState, PaymentOutcome } from '@ticket-saga/contract/states';
import type { Diagram, Exit, Facts } from './diagram.ts';
import { begunSteps, newRun, type Past, type Run, type Step, storiesOf, type Story } from './runs.ts';

export type Timeline = { steps: Step[]; current: Step | null };

const hasEnded = (step: Step) => step.completedAt !== null;
const completion: Exit = { by: 'completion' };

export function timeline(past: Past, diagram: Diagram): Timeline {
  const outcome = paymentOutcome(past);
  const told = storiesOf(past, diagram).map((story) => tell(story, past, outcome, diagram));
  // An undo reaches back to the processes before its own, not to those after it.
  told.forEach(({ runs }, index) =>
    rollBack(
      runs,
      told.slice(index).flatMap((later) => later.runs),
    ),
  );
  const steps = told.flatMap(({ runs, coming }) => [...runs.map(asStep), ...coming]);
  return { steps, current: steps.findLast((step) => !hasEnded(step)) ?? null };
}

function tell(story: Story, past: Past, outcome: Outcome | undefined, diagram: Diagram) {
  const runs = withWaits(story, begunSteps(story, past, diagram), outcome, diagram);
  const { finished } = story;
  runs.forEach((run, index) => settle(run, runs[index - 1], runs[index + 1], { ...past, finished }, diagram));
  return { runs, coming: finished ? [] : predicted(runs, outcome, diagram) };
}

/** A wait has no worker that tells of it: it begins when the step before it is done, and ends by news or by what follows. */
function withWaits({ events }: Story, runs: Run[], outcome: Outcome | undefined, diagram: Diagram): Run[] {
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
    const trouble = events.findLast((event) => event.elementId === id);
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
function rollBack(runs: Run[], undoing: Run[]): void {
  const undone = new Set(undoing.filter((run) => run.state === 'COMPLETED').flatMap((run) => run.undo));
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
function paymentOutcome({ history, paymentState, createdAt }: Past): Outcome | undefined {
  const [first] = history
    .flatMap(({ state, at }) => {
      const value = outcomes[state];
      return value ? [{ value, at: Date.parse(at) }] : [];
    })
    .toSorted((a, b) => a.at - b.at);
  if (first) return first;
  // Closed before it was requested, or given back without ever counting: void, with no history that says so.
  const isVoid = paymentState === 'VOIDED' || paymentState === 'REFUNDING' || paymentState === 'REFUNDED';
  return isVoid ? { value: 'VOIDED', at: createdAt } : undefined;
}

function asStep({ undo: _undo, interrupted: _interrupted, exit: _exit, ...step }: Run): Step {
  return step;
}
