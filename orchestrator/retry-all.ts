/** Retries all steps that are stuck for one reason: the provider is back, a bug is mended. */
import { pause } from '@ticket-saga/runtime/backoff';
import { addToAudit, auditRefusal } from './audit.ts';
import { Problem } from '@ticket-saga/runtime/problem';
import type { OrchestratorParts } from './parts.ts';
import { retryStuck } from './retry-step.ts';
import { listStuck, type StuckView } from './stuck.ts';

/** A step every so often, ms: what was away must not be trampled down when it is back. */
const paceMs = 50;

export type RetryAllEntry = {
  operator: string;
  reason: string;
  code: string;
  step?: string | undefined;
  limit: number;
};
export type RetriedAll = {
  retried: number;
  refused: { orderId: string; step: string; code: string; detail: string }[];
  /** There are more: ask again. */
  more: boolean;
};

/** Those that were stuck when it was asked; one that gets stuck again meanwhile is left alone. */
export async function retryAll(parts: OrchestratorParts, entry: RetryAllEntry): Promise<RetriedAll> {
  const { operator, reason, code, step, limit } = entry;
  const until = new Date().toISOString();
  const result: RetriedAll = { retried: 0, refused: [], more: false };
  let cursor: string | undefined;
  do {
    const left = limit - result.retried - result.refused.length;
    const page = await listStuck(parts, { code, step, until, cursor, limit: Math.min(100, left) });
    for (const stuck of page.items) {
      await retryOne(parts, { operator, reason }, stuck, result);
      await pause(paceMs);
    }
    cursor = page.nextCursor ?? undefined;
    result.more = cursor !== undefined;
  } while (cursor !== undefined && result.retried + result.refused.length < limit);
  const details = { code, step, retried: result.retried, refused: result.refused.length, more: result.more };
  await addToAudit(parts.db, { operator, reason, action: 'retry-all', outcome: 'done', details });
  return result;
}

async function retryOne(
  parts: OrchestratorParts,
  entry: { operator: string; reason: string },
  stuck: StuckView,
  result: RetriedAll,
): Promise<void> {
  const { orderId } = stuck;
  const elementId = stuck.step?.id ?? '';
  try {
    const refused = { ...entry, action: 'retry-step', orderId, details: { elementId } } as const;
    await auditRefusal(parts.db, refused, () => retryStuck(parts, entry, stuck));
    result.retried += 1;
  } catch (error) {
    if (!(error instanceof Problem)) throw error; // the engine is away: the rest would fail alike
    result.refused.push({ orderId, step: elementId, code: error.code, detail: error.message });
  }
}
