/**
 * Repairs. Each goes through the ordinary steps, whose state machines make it harmless where it comes too late or twice;
 * and each is looked at once more just before: what has come right meanwhile is left alone.
 */
import { messages } from '@ticket-saga/contract/messages';
import { paymentState } from '@ticket-saga/contract/states';
import type { Tx } from '@ticket-saga/runtime/database';
import { errorFields } from '@ticket-saga/runtime/logger';
import { isDone } from '@ticket-saga/runtime/inbox';
import { z } from 'zod';
import { addToAudit } from './audit.ts';
import { noteProcess } from './further-processes.ts';
import { consumerName } from './parts.ts';
import { type Finding, kinds, type RepairName } from './reconcile-kinds.ts';
import type { ReconcileParts } from './reconcile-parts.ts';
import { findBookMismatches, findOrderMismatches, findProcessMismatches } from './reconcile-second-look.ts';
import { type Mismatch, readMismatches, type Run } from './reconcile-runs.ts';
import type { Sources } from './reconcile-sources.ts';

const atATime = 100;
const orderProcess = 'ticket-order';
/** What the customer reads as the reason. */
const lost = { reasonCode: 'ABORTED_BY_OPERATOR', reasonMessage: 'The order could not be carried on and was undone.' };

/** Repairs what the run has found, where there is a repair that needs no person. Each act is in the audit trail. */
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
      if (kinds[mismatch.kind].repair === 'person') continue;
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
    const still = (await lookAgain(parts, sources, mismatch)).find(({ kind }) => kind === mismatch.kind);
    if (still) {
      done = await repairs[repair](parts, still);
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

function lookAgain(parts: ReconcileParts, sources: Sources, { kind, subject, orderId }: Mismatch): Promise<Finding[]> {
  if (kinds[kind].repair === 'ask-provider') return findBookMismatches(sources, [subject], parts.times);
  if (kind === 'process-for-final-order')
    return findProcessMismatches(parts, sources, [{ key: subject, processId: orderProcess }]);
  return findOrderMismatches(sources, orderId === null ? [] : [orderId], parts.times);
}

/** What was done, for the audit trail. */
type Act = (parts: ReconcileParts, finding: Finding) => Promise<Record<string, unknown>>;

const repairs: Record<RepairName, Act> = {
  'publish-order': async (parts, finding) => {
    const orderId = orderOf(finding);
    // The engine was asked to start it, and nobody knows the instance: publishing again would change nothing.
    if (await isDone(parts.db, consumerName, `order:${orderId}:created`)) return startAt(parts, orderId, 'StopOrder');
    const answer = z.object({ published: z.boolean() });
    return parts.services.post('order', `/reconciliation/orders/${orderId}/publish`, {}, answer);
  },
  abort: (parts, finding) => startAt(parts, orderOf(finding), 'StopOrder'),
  // Late money that came to count for the order goes back too, and the tickets are those that are held or sold now.
  'undo-again': (parts, finding) => {
    const { held } = z.object({ held: z.string().nullish() }).parse(finding.details);
    const more = { orderRefund: true, ...(held ? { reservationId: held } : {}) };
    return startAt(parts, orderOf(finding), 'AbortCancelPayment', more);
  },
  'publish-result': ({ services }, finding) =>
    services.post('payment', `/payments/${orderOf(finding)}/republish`, {}, z.object({ type: z.string() })),
  'ask-provider': ({ services }, { subject }) =>
    services.post('payment', `/reconciliation/payments/${subject}/ask`, {}, z.object({ state: paymentState })),
  'end-process': async ({ engine }, finding) => {
    const { name } = messages.abortOrder;
    await engine.publishMessage({
      name,
      correlationKey: orderOf(finding),
      messageId: `repair:${finding.subject}:${Date.now()}`,
      // It waits for this message all the time; what it cannot take now must not hit a later process.
      timeToLiveMs: 1_000,
      variables: {},
    });
    return { message: name };
  },
  person: () => Promise.reject(new Error('This needs a person.')),
};

/** Starts the order's process at a task of its abort, and remembers the instance: the next run asks whether it lives. */
async function startAt({ db, engine }: ReconcileParts, orderId: string, elementId: string, more: object = {}) {
  const processInstanceKey = await engine.startProcessAt(orderProcess, elementId, { orderId, ...lost, ...more });
  await noteProcess(db, orderId, processInstanceKey);
  return { processInstanceKey, startedAt: elementId };
}

function orderOf({ orderId }: Finding): string {
  if (orderId === null) throw new Error('The mismatch names no order.');
  return orderId;
}
