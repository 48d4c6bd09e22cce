/** When the reconciliation runs: when an operator asks for it, and by itself from time to time. */
import { pause } from '@ticket-saga/runtime/backoff';
import { errorFields } from '@ticket-saga/runtime/logger';
import type { Metrics } from '@ticket-saga/runtime/metrics';
import type { OrchestratorParts } from './parts.ts';
import type { ReconcileParts } from './reconcile-parts.ts';
import { reconcile } from './reconcile-run.ts';
import { beginRun, countMismatches, type NewRun, readRuns, type Run } from './reconcile-runs.ts';

const checkEveryMs = 60_000;
/** The first check after a start: then everything else has started, too. */
const firstCheckMs = 5 * 60_000;

export type Reconciler = {
  /** Starts a run in the background; undefined while another runs, or one was started within `everyMs`. */
  start(run: NewRun, everyMs?: number): Promise<Run | undefined>;
  /** Breaks the run off. */
  stop(): Promise<void>;
};

export function createReconciler(parts: ReconcileParts): Reconciler {
  const stop = new AbortController();
  const running = new Set<Promise<void>>();
  return {
    async start(wanted, everyMs) {
      const run = await beginRun(parts.db, wanted, everyMs);
      if (!run) return undefined;
      const { id, operator, repair, namedKinds } = run;
      parts.logger.info('reconciliation started', { run: String(id), operator, repair, namedKinds });
      const work = reconcile(parts, run, stop.signal)
        .then(() => report(parts, run))
        .catch((error: unknown) => void parts.logger.warn('reconciliation: not reported', errorFields(error)))
        .finally(() => running.delete(work));
      running.add(work);
      return run;
    },
    async stop() {
      stop.abort(new Error('The service was stopped.'));
      await Promise.all(running);
    },
  };
}

async function report({ db, logger }: ReconcileParts, run: Run): Promise<void> {
  const kinds = await countMismatches(db, run.id);
  const found = Object.fromEntries(kinds.map((kind) => [kind.kind, kind.found]));
  const level = kinds.some(({ open }) => open > 0) ? 'warn' : 'info';
  const text = kinds.length > 0 ? 'the reconciliation found mismatches' : 'the reconciliation found nothing wrong';
  logger.log(level, text, { run: String(run.id), ...found, counts: run.counts, notes: run.notes });
}

type Schedule = { everyMs: number; repair: boolean };

/** Runs from time to time, whichever of the orchestrators comes first, and shows the last result as a metric. */
export function keepReconciling(
  { db, logger }: Pick<OrchestratorParts, 'db' | 'logger'>,
  reconciler: Reconciler,
  metrics: Metrics,
  { everyMs, repair }: Schedule,
): () => Promise<void> {
  const stop = new AbortController();
  const check = async () => {
    await reconciler.start({ operator: 'reconcile', reason: 'by schedule', repair }, everyMs);
    const last = (await readRuns(db, undefined, 20)).find(({ state }) => state === 'DONE');
    metrics.mismatches.reset();
    for (const { kind, open } of last ? await countMismatches(db, last.id) : []) metrics.mismatches.set({ kind }, open);
  };
  const running = (async () => {
    await pause(Math.min(firstCheckMs, everyMs), stop.signal);
    while (!stop.signal.aborted) {
      await check().catch((error: unknown) => logger.warn('reconciliation: trying again', errorFields(error)));
      await pause(Math.min(checkEveryMs, everyMs), stop.signal);
    }
  })();
  return async () => {
    stop.abort();
    await running;
  };
}
