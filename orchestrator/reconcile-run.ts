/**
 * One run: all lists are read through once in sorted pages and joined, which gives suspects; after a while all suspects
 * are looked at again, now with the engine, and what is still wrong is a mismatch. Memory does not grow with the shop.
 */
import { processes } from '@ticket-saga/contract/processes';
import { mostIds } from '@ticket-saga/contract/reconciliation';
import { pause } from '@ticket-saga/runtime/backoff';
import { errorFields } from '@ticket-saga/runtime/logger';
import type { Finding } from './reconcile-kinds.ts';
import { isUnsettled, judgeBooks, judgeOrder, judgeProcess, type ProcessCase } from './reconcile-judge.ts';
import { inGroups, joinByKey } from './reconcile-merge.ts';
import type { ReconcileParts } from './reconcile-parts.ts';
import { repairMismatches } from './reconcile-repairs.ts';
import {
  addMismatches,
  addSuspects,
  endRun,
  noteProgress,
  type Run,
  type Suspect,
  suspectsOf,
} from './reconcile-runs.ts';
import {
  findBookMismatches,
  findOrderMismatches,
  findProcessMismatches,
  findStockMismatches,
  findUnsentEvents,
  processCases,
} from './reconcile-second-look.ts';
import { byOrder, createSources, type Sources } from './reconcile-sources.ts';

const beatMs = 5_000;
const suspectsAtOnce = 500;

type Look = { parts: ReconcileParts; sources: Sources; run: Run; signal: AbortSignal };

/** Carries out a run that `beginRun` has begun, and ends it. Rejects never: what went wrong is in the run's notes. */
export async function reconcile(parts: ReconcileParts, run: Run, stopped: AbortSignal): Promise<void> {
  const lost = new AbortController();
  const signal = AbortSignal.any([stopped, lost.signal]);
  const beat = setInterval(() => {
    noteProgress(parts.db, run).then(
      (ours) => void (ours || lost.abort(new Error('The run was taken for dead.'))),
      () => undefined, // the database is away: the run itself will say so
    );
  }, beatMs);
  const look = { parts, sources: createSources(parts, signal), run, signal };
  try {
    for (const [phase, work] of phases) {
      run.phase = phase;
      await work(look);
      signal.throwIfAborted();
    }
    await endRun(parts.db, run, 'DONE');
  } catch (error) {
    run.notes.push(error instanceof Error ? error.message : String(error));
    parts.logger.warn('the reconciliation could not be finished', {
      run: String(run.id),
      phase: run.phase,
      ...errorFields(error),
    });
    await endRun(parts.db, run, stopped.aborted ? 'BROKEN_OFF' : 'FAILED').catch(() => undefined);
  } finally {
    clearInterval(beat);
  }
}

const phases: [string, (look: Look) => Promise<void>][] = [
  ['orders, reservations and payments', joinOrders],
  ['the provider’s books', joinBooks],
  ['running processes', lookAtProcesses],
  ['stock and outboxes', lookAtStock],
  ['waiting before the second look', settle],
  ['second look at orders', lookAgainAtOrders],
  ['second look at payments', lookAgainAtBooks],
  ['second look at processes', lookAgainAtProcesses],
  [
    'repairs',
    async ({ parts, sources, run, signal }) => {
      if (run.repair) await repairMismatches(parts, sources, run, signal);
    },
  ],
];

function count({ run, signal }: Look, what: string, more: number): void {
  signal.throwIfAborted();
  if (more > 0) run.counts[what] = (run.counts[what] ?? 0) + more;
}

async function suspect(look: Look, subject: Suspect, ids: AsyncIterable<string>): Promise<void> {
  for await (const group of inGroups(ids, suspectsAtOnce)) {
    await addSuspects(look.parts.db, look.run, subject, group);
    count(look, 'suspects', group.length);
  }
}

async function joinOrders(look: Look): Promise<void> {
  const { sources, parts } = look;
  async function* suspects() {
    const joined = joinByKey({
      orders: { rows: sources.orders(), keyOf: byOrder.order },
      reservations: { rows: sources.reservations(), keyOf: byOrder.reservation },
      payments: { rows: sources.paymentsByOrder(), keyOf: byOrder.payment },
    });
    for await (const { key, rows } of joined) {
      count(look, 'orders', rows.orders.length);
      count(look, 'reservations', rows.reservations.length);
      count(look, 'payments', rows.payments.length);
      const it = { id: key, order: rows.orders[0], reservations: rows.reservations, payment: rows.payments[0] };
      if (isUnsettled(it, parts.times)) count(look, 'leftForNextRun', 1);
      if (judgeOrder(it, parts.times).length > 0) yield key;
    }
  }
  await suspect(look, 'order', suspects());
}

async function joinBooks(look: Look): Promise<void> {
  const { sources, parts } = look;
  async function* suspects() {
    const joined = joinByKey({
      ours: { rows: sources.payments(), keyOf: ({ id }) => id },
      theirs: { rows: sources.provider(), keyOf: ({ reference }) => reference },
    });
    for await (const { key, rows } of joined) {
      count(look, 'providerPayments', rows.theirs.length);
      if (judgeBooks(rows.ours[0], rows.theirs[0], parts.times).length > 0) yield key;
    }
  }
  await suspect(look, 'payment', suspects());
}

async function lookAtProcesses(look: Look): Promise<void> {
  const { parts, run } = look;
  async function* old() {
    for await (const running of parts.running.all()) {
      count(look, 'processes', 1);
      if (running.processId in processes && running.age >= parts.times.settle) yield running;
    }
  }
  async function* suspects() {
    for await (const group of inGroups(old(), mostIds)) {
      for (const it of await processCases(parts, look.sources, group))
        if (judgeProcess(it, parts.times).length > 0) yield suspectOf(it);
    }
  }
  try {
    await suspect(look, 'process', suspects());
  } catch (error) {
    look.signal.throwIfAborted();
    run.notes.push('Operate did not answer: running processes were not held against the orders.');
    parts.logger.warn('reconciliation without Operate', errorFields(error));
  }
}

async function lookAtStock({ parts, sources, run }: Look): Promise<void> {
  const off = await findStockMismatches(sources);
  await addMismatches(parts.db, run, [...off, ...(await findUnsentEvents(parts, sources))]);
}

/** Pages are read at different moments: what was on its way between them has arrived after this. */
async function settle({ parts, run, signal }: Look): Promise<void> {
  if ((run.counts['suspects'] ?? 0) > 0) await pause(parts.times.settle * 1_000, signal);
}

async function lookAgainAtOrders(look: Look): Promise<void> {
  await lookAgain(look, 'order', (ids) => findOrderMismatches(look.sources, ids, look.parts.times));
}

async function lookAgainAtBooks(look: Look): Promise<void> {
  await lookAgain(look, 'payment', (ids) => findBookMismatches(look.sources, ids, look.parts.times));
}

async function lookAgainAtProcesses(look: Look): Promise<void> {
  await lookAgain(look, 'process', (ids) => findProcessMismatches(look.parts, look.sources, ids.map(processOf)));
}

async function lookAgain(look: Look, subject: Suspect, find: (ids: string[]) => Promise<Finding[]>): Promise<void> {
  const { parts, run } = look;
  for await (const ids of suspectsOf(parts.db, run, subject, mostIds)) {
    await addMismatches(parts.db, run, await find(ids));
    count(look, 'lookedAtAgain', ids.length);
  }
}

const suspectOf = ({ key, processId }: ProcessCase) => `${processId} ${key}`;
const processOf = (suspect: string) => {
  const [processId = '', key = ''] = suspect.split(' ');
  return { processId, key };
};
