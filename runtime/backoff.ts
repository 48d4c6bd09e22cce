/** Waiting between tries. */
import { setTimeout as delay } from 'node:timers/promises';

/** 1, 2, 4, 8 … times `first`, never above `most` (all milliseconds). `failures` counts from 1. */
export function backoffMs(failures: number, first = 1_000, most = 30_000): number {
  return Math.min(most, first * 2 ** Math.min(failures - 1, 20));
}

/**
 * How long to wait for an engine that has too much to do, ms: 50 to 1000, never long, because it may have room in a
 * moment; by chance, because those who were refused together must not come again together.
 */
export function busyPauseMs(failures: number): number {
  return backoffMs(failures, 100, 1_000) * (0.5 + Math.random() / 2);
}

/** Waits, or returns early when `signal` says that the process stops. */
export async function pause(ms: number, signal?: AbortSignal): Promise<void> {
  await delay(ms, undefined, signal ? { signal } : {}).catch(() => undefined);
}

/**
 * Calls `attempt` until it succeeds or `signal` aborts. `onFailure` hears each failure, for the log and `/health/ready`.
 */
export async function untilDone(
  attempt: () => Promise<void>,
  onFailure: (error: unknown, failures: number) => void,
  signal: AbortSignal,
): Promise<void> {
  for (let failures = 1; !signal.aborted; failures += 1) {
    try {
      await attempt();
      return;
    } catch (error) {
      onFailure(error, failures);
      await pause(backoffMs(failures, 500, 10_000), signal);
    }
  }
}

/** Rejects with `message` when `work` has not settled after `ms`; `work` itself goes on unheard. */
export async function withDeadline<T>(work: Promise<T>, ms: number, message: string): Promise<T> {
  let timer: NodeJS.Timeout | undefined;
  const late = new Promise<never>((_, reject) => {
    timer = setTimeout(() => reject(Object.assign(new Error(message), { code: 'DEADLINE_EXCEEDED' })), ms);
  });
  try {
    return await Promise.race([work, late]);
  } finally {
    clearTimeout(timer);
  }
}
