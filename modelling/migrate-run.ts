/** Moves instances one after the other, slowly enough that the shop does not feel it. */
import { setTimeout as delay } from 'node:timers/promises';
import { type Engine, grpc, grpcCode, type MigrationTarget } from '@ticket-saga/runtime/engine';

/** `before`: an earlier run has moved it. `ended`: it was over before its turn came. */
export type Outcome = { key: string; result: 'migrated' | 'before' | 'ended' | 'failed'; reason?: string };

/** Refusals may pass: the engine says no while a step is being done, and tokens move on. */
const tries = 4;

/**
 * Resolves with what became of each instance, in their order. It can be repeated: what has moved is told apart.
 * @param perSecond how many instances at the most
 * @throws what the client says when the engine does not answer any more; those told until then are done
 */
export async function migrateAll(options: {
  engine: Pick<Engine, 'migrateProcessInstance'>;
  instances: readonly string[];
  target: MigrationTarget;
  perSecond: number;
  onProgress?: (done: Outcome, count: number) => void;
  waitMs?: number;
}): Promise<Outcome[]> {
  const { engine, instances, target, perSecond, onProgress, waitMs = 1_000 } = options;
  const outcomes: Outcome[] = [];
  for (const key of instances) {
    const turn = delay(1_000 / perSecond);
    const outcome = await migrateOne(engine, key, target, waitMs);
    outcomes.push(outcome);
    onProgress?.(outcome, outcomes.length);
    if (outcomes.length < instances.length) await turn;
  }
  return outcomes;
}

async function migrateOne(
  engine: Pick<Engine, 'migrateProcessInstance'>,
  key: string,
  target: MigrationTarget,
  waitMs: number,
): Promise<Outcome> {
  for (let attempt = 1; ; attempt += 1) {
    try {
      await engine.migrateProcessInstance(key, target);
      return { key, result: 'migrated' };
    } catch (error) {
      const code = grpcCode(error);
      const reason = reasonOf(error);
      if (code === grpc.notFound) return { key, result: 'ended' };
      // It is of the new version, which does not have the old id.
      if (code === grpc.invalidArgument && reason.includes('non-existing source element'))
        return { key, result: 'before' };
      if (code !== grpc.failedPrecondition && code !== grpc.resourceExhausted && code !== grpc.invalidArgument)
        throw error;
      if (attempt === tries || code === grpc.invalidArgument) return { key, result: 'failed', reason };
      await delay(waitMs);
    }
  }
}

/** The engine's sentence without the preamble of its client. */
function reasonOf(error: unknown): string {
  const text = error instanceof Error ? error.message : String(error);
  return text
    .replace(/^.*?rejected with code '\w+': /, '')
    .replace(/^Expected to migrate process instance '\d+' but /, '');
}
