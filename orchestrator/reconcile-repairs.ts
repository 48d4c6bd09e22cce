/** Carries repairs out. Each mismatch is looked at once more just before: what has come right meanwhile is left alone. */
import type { Tx } from '@ticket-saga/runtime/database';
import { errorFields } from '@ticket-saga/runtime/logger';
import { addToAudit } from './audit.ts';
import { acts } from './reconcile-acts.ts';
import { isRepaired, kinds } from './reconcile-kinds.ts';
import type { ReconcileParts } from './reconcile-parts.ts';
import { findAgain } from './reconcile-second-look.ts';
import { type Mismatch, readMismatches, type Run } from './reconcile-runs.ts';
import type { Sources } from './reconcile-sources.ts';

const atATime = 100;

/** Repairs what the run has found, of the kinds that it is for. Each act is in the audit trail. */
export async function repairMismatches(
  parts: ReconcileParts,
  sources: Sources,
  run: Run,
  signal: AbortSignal,
): Promise<void> {
  for (let after = 0n; ;) {
    const found = await readMismatches(parts.db, run.id, after, atATime);
    for (const mismatch of found) {
      signal.throwIfAborted();
      if (!isRepaired(mismatch.kind, run.namedKinds)) continue;
      const outcome = await repairOne(parts, sources, run, mismatch);
      if (outcome === 'done') run.counts['repaired'] = (run.counts['repaired'] ?? 0) + 1;
    }
    const last = found.at(-1);
    if (!last) return;
    after = last.id;
  }
}

/** Returns `done`, `not-needed`, or why it could not be done; that the next run sees it again is then all that follows. */
async function repairOne(parts: ReconcileParts, sources: Sources, run: Run, mismatch: Mismatch): Promise<string> {
  const { db, logger } = parts;
  const repair = kinds[mismatch.kind].repair;
  const about = { kind: mismatch.kind, subject: mismatch.subject, orderId: mismatch.orderId, repair };
  let outcome = 'not-needed';
  let done: Record<string, unknown> = {};
  try {
    const still = (await findAgain(parts, sources, mismatch)).find(({ kind }) => kind === mismatch.kind);
    if (still) {
      done = await acts[repair](parts, still, run);
      outcome = 'done';
    }
  } catch (error) {
    outcome = `failed: ${error instanceof Error ? error.message : String(error)}`.slice(0, 500);
    logger.warn('a repair failed', { ...about, ...errorFields(error) });
  }
  logger.info('repair', { ...about, outcome });
  await db.$transaction(async (tx) => {
    await noteOutcome(tx, mismatch.id, outcome);
    if (outcome === 'not-needed') return;
    await addToAudit(tx, {
      operator: run.operator,
      action: 'repair',
      ...(mismatch.orderId === null ? {} : { orderId: mismatch.orderId }),
      reason: run.reason,
      outcome: outcome === 'done' ? 'done' : 'REPAIR_FAILED',
      details: { ...about, run: String(run.id), ...done, ...(outcome === 'done' ? {} : { why: outcome }) },
    });
  });
  return outcome;
}

async function noteOutcome(tx: Tx, id: bigint, outcome: string): Promise<void> {
  await tx.$executeRaw`update reconciliation_mismatch set outcome = ${outcome} where id = ${id}`;
}
