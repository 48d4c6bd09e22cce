/** The provider's own pace: makes due decisions and delivers due webhooks, until it is stopped. */
import { backoffMs, pause } from '@ticket-saga/runtime/backoff';
import { createBell } from '@ticket-saga/runtime/bell';
import type { Db } from '@ticket-saga/runtime/database';
import type { PartHealth } from '@ticket-saga/runtime/health';
import { errorFields, type Logger } from '@ticket-saga/runtime/logger';
import { claimDue, decideDue, deliver, nextDueMs } from './webhooks.ts';

/** Deliveries at once. */
const lanes = 32;
/** Another process may make something due: look at least this often, ms. */
const lookEveryMs = 1_000;
const leastPauseMs = 20;

export type Clockwork = {
  /** Something became due. */
  wake(): void;
  /** Waits for the deliveries in hand. */
  stop(): Promise<void>;
};

export type ClockworkOptions = { db: Db; webhookSecret: string; logger: Logger; health: PartHealth };

export function startClockwork(options: ClockworkOptions): Clockwork {
  const stop = new AbortController();
  const running = new Set<Promise<unknown>>();
  const bell = createBell();
  const round = async () => {
    const decided = await decideDue(options.db);
    const webhooks = running.size < lanes ? await claimDue(options.db, lanes - running.size) : [];
    for (const webhook of webhooks) {
      const work = deliver(options.db, options.webhookSecret, webhook, options.logger)
        .catch((error: unknown) => options.logger.warn('webhook: not noted, it comes again', errorFields(error)))
        .finally(() => {
          running.delete(work);
          bell.ring();
        });
      running.add(work);
    }
    if (decided + webhooks.length > 0) return;
    await bell.wait(Math.min(lookEveryMs, Math.max(leastPauseMs, await nextDueMs(options.db))));
  };
  const turning = turn(round, options, stop.signal);
  return {
    wake: bell.ring,
    async stop() {
      stop.abort();
      bell.ring();
      await turning;
      await Promise.all(running);
    },
  };
}

async function turn(round: () => Promise<void>, { logger, health }: ClockworkOptions, signal: AbortSignal) {
  for (let failures = 0; !signal.aborted;) {
    try {
      await round();
      failures = 0;
      health.ok();
    } catch (error) {
      failures += 1;
      health.failed(`decisions and webhooks wait: ${String(error)}`);
      logger.warn('clockwork: trying again', { failures, ...errorFields(error) });
      await pause(backoffMs(failures, 250, 5_000), signal);
    }
  }
}
