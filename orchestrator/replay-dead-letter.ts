/**
 * What operators do with a dead letter: replay, which sends the message once more to where it came from, or discard.
 * Each is one statement: state, message in the outbox and audit entry together. A letter is decided once; a replayed
 * message that fails again comes back as a new letter.
 */
import { type DeadLetter, signatureHeader, topicSettings, topics } from '@ticket-saga/contract/topics';
import { sql } from '@ticket-saga/runtime/database';
import { Problem } from '@ticket-saga/runtime/problem';
import { insertAudit } from './audit.ts';
import { type DeadLetterRow, type DeadLetterState, parseLetter, readDeadLetter } from './dead-letters.ts';
import type { OrchestratorParts } from './parts.ts';

export type LetterEntry = { operator: string; reason: string; id: string };

type Message = { topic: string; key: string; value: string; headers: Record<string, string> };

/** Throws 404 DEAD_LETTER_NOT_FOUND; 409 STALE_ACTION when it was decided before, ACTION_NOT_POSSIBLE. */
export async function replayDeadLetter(parts: OrchestratorParts, entry: LetterEntry): Promise<DeadLetterRow> {
  const { raw, ...row } = await readDeadLetter(parts.db, entry.id);
  if (row.state !== 'OPEN') throw decided(row);
  const found = messageOf(parseLetter(raw));
  if (typeof found === 'string') throw new Problem('ACTION_NOT_POSSIBLE', found);
  const { topic, key, value, headers } = found;
  const sent = sql.sql`, told as (
    insert into outbox (idempotency_key, topic, key, value, headers)
    select 'replay:' || id, ${topic}, ${key}, ${value}, ${JSON.stringify(headers)}::jsonb from decided)`;
  return decide(parts, row, { ...entry, state: 'REPLAYED', action: 'replay-dead-letter', more: sent });
}

/** Throws 404 DEAD_LETTER_NOT_FOUND; 409 STALE_ACTION when it was decided before. */
export async function discardDeadLetter(parts: OrchestratorParts, entry: LetterEntry): Promise<DeadLetterRow> {
  const { raw: _, ...row } = await readDeadLetter(parts.db, entry.id);
  return decide(parts, row, { ...entry, state: 'DISCARDED', action: 'discard-dead-letter', more: sql.empty });
}

type Decision = LetterEntry & {
  state: Exclude<DeadLetterState, 'OPEN'>;
  action: 'replay-dead-letter' | 'discard-dead-letter';
  more: ReturnType<typeof sql.sql>;
};

async function decide(
  { db, logger }: OrchestratorParts,
  row: DeadLetterRow,
  { operator, reason, id, state, action, more }: Decision,
): Promise<DeadLetterRow> {
  const orderId = row.orderId ?? undefined;
  const details = { deadLetter: id, code: row.code, topic: row.sourceTopic };
  const [done] = await db.$queryRaw<{ decidedAt: Date }[]>`
    with decided as (
      update dead_letter set state = ${state}, decided_at = now(), decided_by = ${operator}, decided_because = ${reason}
      where id = ${id}::bigint and state = 'OPEN'
      returning id, decided_at
    )${more}, noted as (
      ${insertAudit({ operator, reason, action, orderId, outcome: 'done', details })} where exists (select from decided)
    )
    select decided_at as "decidedAt" from decided`;
  if (!done) throw decided(await readDeadLetter(db, id));
  logger.info('dead letter decided', { orderId, operator, state, ...details });
  return { ...row, state, decidedAt: done.decidedAt, decidedBy: operator, decidedBecause: reason };
}

const decided = ({ id, state, decidedBy, decidedAt }: DeadLetterRow) =>
  new Problem('STALE_ACTION', `The dead letter ${id} is ${state}, by ${decidedBy} at ${decidedAt?.toISOString()}.`);

/** The message to send, or why there is none, for people. */
export function messageOf(letter: DeadLetter | undefined): Message | string {
  if (!letter) return 'It is no dead letter: nothing is known of where it came from. Discard it.';
  const { source, orderId, reason } = letter;
  if (source.topic === 'webhook' || source.topic === 'provider') {
    return `The payment provider’s word was refused for what it says (${reason.code}) and would be again. Settle it with the provider; abort the order if it still waits, which gives the money back; then discard the letter.`;
  }
  if (!(source.topic in topicSettings) || source.topic === topics.deadLetters) {
    return `Nobody reads ${source.topic} for a message like this. Discard it.`;
  }
  if (reason.code === 'NOT_BELIEVED')
    return 'Nobody knows who wrote it, and it would not be believed again. Discard it.';
  const unsendable = 'no service reads bytes that are no text: it would fail again. Discard it.';
  if (source.value === null || source.encoding === 'base64') return `The message has no readable value: ${unsendable}`;
  const texts = [source.value, source.key ?? '', ...Object.entries(source.headers).flat()];
  if (texts.some((text) => text.includes('\0'))) return `The message holds null bytes: ${unsendable}`;
  // What came without a signature must not get ours on its way back: the relay signs what has none.
  const headers = { [signatureHeader]: '', ...source.headers };
  return { topic: source.topic, key: source.key ?? orderId ?? '', value: source.value, headers };
}
