/** What of the orchestrator's own is cleaned up, beside outbox and inbox. */
import { durationMs } from '@ticket-saga/runtime/config';
import type { RetentionRule } from '@ticket-saga/runtime/retention';

/** @param keep ISO 8601 durations */
export function retentionRules(keep: { DEAD_LETTER_KEEP: string; RECONCILIATION_KEEP: string }): RetentionRule[] {
  return [
    // Never an open one: it has no time of decision.
    { table: 'dead_letter', since: 'decided_at', keepMs: durationMs(keep.DEAD_LETTER_KEEP) },
    // With what it found; never one that still runs.
    { table: 'reconciliation', since: 'ended_at', keepMs: durationMs(keep.RECONCILIATION_KEEP) },
  ];
}
