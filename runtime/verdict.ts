/** What becomes of a job that failed: tried again, when, and whether that uses up a try; or an incident (ARCHITECTURE 5). */
import { z } from 'zod';
import { backoffMs } from './backoff.ts';
import { isOwnFault, PassingFault, PermanentError } from './errors.ts';

/** For the engine's `failJob`: no `retries` left is an incident. `retryBackOff` in ms. */
export type Verdict = { errorMessage: string; retries: number; retryBackOff: number };

/** Our own database or broker is away: come again after this long, ms; no try is used up. */
const ownFaultBackOffMs = 3_000;
/** The longest pause, measured by the first. */
const mostTimes = 8;

/** Whose fault it is decides. `attempt` counts from 1; `left`: the tries that the engine still has, with this one. */
export function judge(
  error: unknown,
  { attempt, left, retryBackOffMs }: { attempt: number; left: number; retryBackOffMs: number },
): Verdict {
  const errorMessage = messageOf(error).slice(0, 2_000);
  if (isOwnFault(error)) return { errorMessage, retries: Math.max(1, left), retryBackOff: ownFaultBackOffMs };
  // A bug, or a case for a person: an incident at once, no storm of retries.
  if (!(error instanceof PassingFault) || left <= 1) return { errorMessage, retries: 0, retryBackOff: 0 };
  const retryBackOff = backoffMs(attempt, retryBackOffMs, mostTimes * retryBackOffMs);
  return { errorMessage, retries: left - 1, retryBackOff };
}

function messageOf(error: unknown): string {
  if (error instanceof z.ZodError) return `Input or output does not fit the contract: ${z.prettifyError(error)}`;
  return error instanceof Error ? error.message : String(error);
}

/** The code that the order's timeline shows. */
export function codeOf(error: unknown): string {
  if (error instanceof z.ZodError) return 'CONTRACT_BROKEN';
  if (error instanceof PassingFault || error instanceof PermanentError) return error.code;
  return isOwnFault(error) ? 'DEPENDENCY_UNAVAILABLE' : 'BUG';
}
