/**
 * The transactional outbox: events are rows written with the effect, so that both happen or neither. `relay.ts` sends
 * them. The table is in the service's own schema (migration 0001).
 */
import { type Topic } from '@ticket-saga/contract/topics';
import { sql, type Tx } from './database.ts';

export type OutboxEvent = {
  topic: Topic;
  key: string;
  /** Serialised once, here: what is signed is what is sent. Must carry `idempotencyKey`. */
  value: { idempotencyKey: string };
  headers?: Record<string, string>;
};

/** The rows as JSON, for `insertFrom` inside a larger statement. */
export function outboxRows(events: OutboxEvent[]): string {
  return JSON.stringify(
    events.map((event) => ({
      idempotency_key: event.value.idempotencyKey,
      topic: event.topic,
      key: event.key,
      value: JSON.stringify(event.value),
      headers: event.headers ?? {},
    })),
  );
}

/**
 * SQL that inserts the rows of `outboxRows`; an event that is there already (the handler ran twice) stays as it is.
 * Use it as a data-modifying CTE, or alone through `addToOutbox`. `where` may name a condition on other CTEs.
 */
export function insertIntoOutbox(
  events: OutboxEvent[],
  where: ReturnType<typeof sql.sql> = sql.sql`true`,
): ReturnType<typeof sql.sql> {
  return sql.sql`insert into outbox (idempotency_key, topic, key, value, headers)
    select e.idempotency_key, e.topic, e.key, e.value, e.headers
    from jsonb_to_recordset(${outboxRows(events)}::jsonb)
      as e(idempotency_key text, topic text, key text, value text, headers jsonb)
    where ${where}
    on conflict (idempotency_key) do nothing`;
}

/** Adds events as part of the transaction `tx` (or as a statement of its own when `tx` is the client). */
export async function addToOutbox(tx: Tx, events: OutboxEvent[]): Promise<void> {
  if (events.length > 0) await tx.$executeRaw(insertIntoOutbox(events));
}
