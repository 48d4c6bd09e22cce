/** Replays all open dead letters that match, oldest first: after a bug was mended that had failed many messages. */
import { Problem } from '@ticket-saga/runtime/problem';
import { auditRefusal } from './audit.ts';
import { type DeadLetterFilter, newestId, openIds } from './dead-letters.ts';
import type { OrchestratorParts } from './parts.ts';
import { replayDeadLetter } from './replay-dead-letter.ts';

export type ReplayAllEntry = Omit<DeadLetterFilter, 'state'> & {
  operator: string;
  reason: string;
  limit: number;
  /** Of the answer before: what became a dead letter since the first call is left alone, or it could go round for ever. */
  cursor?: string | undefined;
};
export type ReplayedAll = {
  replayed: number;
  refused: { id: string; code: string; detail: string }[];
  nextCursor: string | null;
};

export const replayCursor = /^\d{1,18}:\d{1,18}$/;

export async function replayAll(parts: OrchestratorParts, entry: ReplayAllEntry): Promise<ReplayedAll> {
  const { operator, reason, limit, cursor, ...filter } = entry;
  const [after = '0', upTo = '0'] = cursor?.split(':') ?? ['0', (await newestId(parts.db)) ?? '0'];
  const ids = await openIds(parts.db, filter, { after, upTo, limit: limit + 1 });
  const result: ReplayedAll = { replayed: 0, refused: [], nextCursor: null };
  for (const id of ids.slice(0, limit)) {
    const act = { operator, reason, id };
    try {
      const refused = { operator, reason, action: 'replay-dead-letter', details: { deadLetter: id } } as const;
      await auditRefusal(parts.db, refused, () => replayDeadLetter(parts, act));
      result.replayed += 1;
    } catch (error) {
      if (!(error instanceof Problem)) throw error;
      result.refused.push({ id, code: error.code, detail: error.message });
    }
  }
  if (ids.length > limit) result.nextCursor = `${ids[limit - 1]}:${upTo}`;
  return result;
}
