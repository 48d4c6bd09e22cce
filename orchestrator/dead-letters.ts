/** The dead letters as operators have them: every record of the topic, kept byte for byte, OPEN until somebody decides. */
import { type DeadLetter, deadLetter, topics } from '@ticket-saga/contract/topics';
import { createHash } from 'node:crypto';
import { type Db, sql } from '@ticket-saga/runtime/database';
import type { MessageMeta } from '@ticket-saga/runtime/consumer';
import { Problem } from '@ticket-saga/runtime/problem';

export const deadLetterStates = ['OPEN', 'REPLAYED', 'DISCARDED'] as const;
export type DeadLetterState = (typeof deadLetterStates)[number];

type NewRow = Pick<DeadLetterRow, 'occurredAt' | 'service' | 'code' | 'message' | 'orderId' | 'sourceTopic'> & {
  idempotencyKey: string;
};

/** Keeps a letter, once. */
export async function keepDeadLetter(db: Db, letter: DeadLetter, raw: Buffer): Promise<void> {
  await insert(db, raw, {
    idempotencyKey: letter.idempotencyKey,
    occurredAt: new Date(letter.occurredAt),
    service: letter.service,
    code: letter.reason.code,
    message: letter.reason.message,
    orderId: letter.orderId ?? null,
    sourceTopic: letter.source.topic,
  });
}

/** Keeps what somebody wrote into the topic that is no dead letter: it is shown, and can only be discarded. */
export async function keepForeign(db: Db, { source, rawValue }: MessageMeta): Promise<void> {
  await insert(db, rawValue, {
    idempotencyKey: `foreign:${source.partition}:${source.offset}`,
    occurredAt: new Date(),
    service: 'unknown',
    code: 'NO_DEAD_LETTER',
    message: 'Somebody wrote into the topic dead-letters what is no dead letter.',
    orderId: null,
    sourceTopic: topics.deadLetters,
  });
}

/** Whatever stands in a letter must find its place: a row that is refused would be lost from sight. */
async function insert(db: Db, raw: Buffer, row: NewRow): Promise<void> {
  const year = row.occurredAt.getUTCFullYear();
  const occurredAt = year >= 1970 && year <= 9999 ? row.occurredAt : new Date();
  await db.$executeRaw`
    insert into dead_letter (idempotency_key, occurred_at, service, code, message, order_id, source_topic, letter)
    values (${short(row.idempotencyKey)}, ${occurredAt}, ${storable(row.service)}, ${storable(row.code)},
      ${storable(row.message)}, ${row.orderId}::uuid, ${storable(row.sourceTopic)}, ${raw})
    on conflict (idempotency_key) do nothing`;
}

/** PostgreSQL's text holds no null bytes. */
const storable = (text: string) => text.replaceAll('\0', '\ufffd');

/** An index holds no long keys. */
function short(key: string): string {
  return key.length <= 500 && !key.includes('\0') ? key : createHash('sha256').update(key).digest('hex');
}

export type DeadLetterRow = {
  id: string;
  occurredAt: Date;
  state: DeadLetterState;
  service: string;
  code: string;
  message: string;
  orderId: string | null;
  sourceTopic: string;
  decidedAt: Date | null;
  decidedBy: string | null;
  decidedBecause: string | null;
  /** Of the order's own process, where it has one. */
  processInstanceKey: string | null;
};

export type DeadLetterFilter = {
  state?: DeadLetterState | undefined;
  service?: string | undefined;
  code?: string | undefined;
  topic?: string | undefined;
  orderId?: string | undefined;
};

const columns = sql.sql`d.id::text as id, d.occurred_at as "occurredAt", d.state, d.service, d.code, d.message,
  d.order_id::text as "orderId", d.source_topic as "sourceTopic", d.decided_at as "decidedAt", d.decided_by as "decidedBy",
  d.decided_because as "decidedBecause", s.process_instance_key as "processInstanceKey"`;
const letters = sql.sql`dead_letter d left join started_process s on s.order_id = d.order_id`;

const chosen = ({ state, service, code, topic, orderId }: DeadLetterFilter) => [
  sql.sql`true`,
  ...(state === undefined ? [] : [sql.sql`d.state = ${state}`]),
  ...(service === undefined ? [] : [sql.sql`d.service = ${service}`]),
  ...(code === undefined ? [] : [sql.sql`d.code = ${code}`]),
  ...(topic === undefined ? [] : [sql.sql`d.source_topic = ${topic}`]),
  ...(orderId === undefined ? [] : [sql.sql`d.order_id = ${orderId}::uuid`]),
];

/** A page, newest first. `cursor` is the id of the last letter of the page before. */
export async function listDeadLetters(
  db: Db,
  filter: DeadLetterFilter & { cursor?: string | undefined; limit: number },
): Promise<{ items: DeadLetterRow[]; nextCursor: string | null }> {
  const { cursor, limit } = filter;
  const conditions = [...chosen(filter), ...(cursor === undefined ? [] : [sql.sql`d.id < ${cursor}::bigint`])];
  const rows = await db.$queryRaw<DeadLetterRow[]>`
    select ${columns} from ${letters} where ${sql.join(conditions, ' and ')} order by d.id desc limit ${limit + 1}`;
  const items = rows.slice(0, limit);
  return { items, nextCursor: rows.length > limit ? (items.at(-1)?.id ?? null) : null };
}

/** The letter with the record as it came. Throws 404 DEAD_LETTER_NOT_FOUND. */
export async function readDeadLetter(db: Db, id: string): Promise<DeadLetterRow & { raw: Buffer }> {
  const [row] = await db.$queryRaw<(DeadLetterRow & { letter: Uint8Array })[]>`
    select ${columns}, d.letter from ${letters} where d.id = ${id}::bigint`;
  if (!row) throw new Problem('DEAD_LETTER_NOT_FOUND', `There is no dead letter ${id}.`);
  const { letter, ...rest } = row;
  return { ...rest, raw: Buffer.from(letter) };
}

/** The newest letter that there is now: what comes later is left out. Null when there is none. */
export async function newestId(db: Db): Promise<string | null> {
  const [row] = await db.$queryRaw<{ id: string | null }[]>`select max(id)::text as id from dead_letter`;
  return row?.id ?? null;
}

/** Ids of the open letters that match, behind `after` and up to `upTo`: the oldest first, as they came. */
export async function openIds(
  db: Db,
  filter: DeadLetterFilter,
  { after, upTo, limit }: { after: string; upTo: string; limit: number },
): Promise<string[]> {
  const conditions = [
    ...chosen({ ...filter, state: 'OPEN' }),
    sql.sql`d.id > ${after}::bigint`,
    sql.sql`d.id <= ${upTo}::bigint`,
  ];
  const rows = await db.$queryRaw<{ id: string }[]>`
    select d.id::text as id from dead_letter d where ${sql.join(conditions, ' and ')} order by d.id limit ${limit}`;
  return rows.map(({ id }) => id);
}

/** The record of the topic as the contract reads it; undefined for what is none. */
export function parseLetter(raw: Buffer): DeadLetter | undefined {
  try {
    return deadLetter.safeParse(JSON.parse(raw.toString('utf8'))).data;
  } catch {
    return undefined;
  }
}
