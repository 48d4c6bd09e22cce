/** Everything that the topics hold, sent or read once more, and what the system stores, to see that it is the same after. */
import { randomUUID } from 'node:crypto';
import { topics } from '../../contract/topics.ts';
import type { OutgoingRecord } from '../../runtime/kafka.ts';
import { eventually } from './eventually.ts';
import { query, shop } from './system.ts';

const all = Object.values(topics);
export type Stored = Record<string, string[]>;

/** What a schedule writes though nothing happens. */
const notOfTheBusiness = /reconciliation/;

/**
 * Every row of every table of the services and of the provider, as text; without the time at which the provider was last
 * asked about a payment that waits, which time alone moves on.
 */
export async function stored(): Promise<Stored> {
  const tables = await query<{ name: string }>(
    `select schemaname || '.' || tablename as name from pg_tables
     where schemaname in ('orders', 'inventory', 'payments', 'orchestration', 'provider') order by 1`,
  );
  const snapshot: Stored = {};
  for (const { name } of tables.filter((table) => !notOfTheBusiness.test(table.name))) {
    const rows = await query<{ row: string }>(
      `select (to_jsonb(t) - 'asked_at')::text as row from ${name} t order by 1`,
    );
    snapshot[name] = rows.map(({ row }) => row);
  }
  return snapshot;
}

/** What is there in `after` only (+), and in `before` only (-). */
export function differences(before: Stored, after: Stored): string[] {
  return Object.keys(after).flatMap((table) => {
    const [old, now] = [new Set(before[table]), new Set(after[table])];
    return [
      ...[...now].filter((row) => !old.has(row)).map((row) => `+ ${table} ${row}`),
      ...[...old].filter((row) => !now.has(row)).map((row) => `- ${table} ${row}`),
    ];
  });
}

/** The records of every topic, from the beginning, in the order of each partition; compacted ones as they are. */
export async function records(): Promise<OutgoingRecord[]> {
  const admin = shop.kafka.admin();
  await admin.connect();
  const consumer = shop.kafka.consumer({ groupId: `replay-${randomUUID()}` });
  try {
    const ends = new Map<string, bigint>();
    for (const topic of all) {
      for (const { partition, low, high } of await admin.fetchTopicOffsets(topic))
        if (BigInt(high) > BigInt(low)) ends.set(`${topic}:${partition}`, BigInt(high));
    }
    const found: OutgoingRecord[] = [];
    await consumer.connect();
    await consumer.subscribe({ topics: all, fromBeginning: true });
    await consumer.run({
      autoCommit: false,
      eachMessage: async ({ topic, partition, message }) => {
        const place = `${topic}:${partition}`;
        const end = ends.get(place);
        if (end === undefined || BigInt(message.offset) >= end) return;
        const headers = Object.entries(message.headers ?? {}).map(([name, value]) => [name, String(value)]);
        const text = { key: message.key?.toString() ?? '', value: message.value?.toString() ?? '' };
        found.push({ topic, ...text, headers: Object.fromEntries(headers) });
        if (BigInt(message.offset) + 1n >= end) ends.delete(place);
      },
    });
    await eventually('all topics are read', () => ends.size === 0, { withinMs: 60_000, everyMs: 100 });
    return found;
  } finally {
    await consumer.disconnect();
    await admin.disconnect();
  }
}

/** The services' consumer groups with their topic: `<service>.<topic>`. */
async function groups(): Promise<{ groupId: string; topic: string }[]> {
  const admin = shop.kafka.admin();
  await admin.connect();
  try {
    const listed = await admin.listGroups();
    return listed.groups.flatMap(({ groupId }) =>
      all.filter((topic) => groupId.endsWith(`.${topic}`)).map((topic) => ({ groupId, topic })),
    );
  } finally {
    await admin.disconnect();
  }
}

/** Sets every group of the services, which must be stopped, back to the first message. Returns how many groups. */
export async function rewind(): Promise<number> {
  const members = await groups();
  const admin = shop.kafka.admin();
  await admin.connect();
  try {
    for (const { groupId, topic } of members)
      await eventually(
        `the group ${groupId} is empty`,
        () => admin.resetOffsets({ groupId, topic, earliest: true }).then(() => true),
        {
          withinMs: 60_000,
          everyMs: 500,
        },
      );
  } finally {
    await admin.disconnect();
  }
  return members.length;
}

/** Waits until the services have read all there is, their outboxes are empty, and no webhook is due. */
export async function quiet(): Promise<void> {
  const members = await groups();
  const admin = shop.kafka.admin();
  await admin.connect();
  try {
    await eventually(
      'every topic is read to its end and every outbox is sent',
      async () => {
        for (const { groupId, topic } of members) {
          const ends = await admin.fetchTopicOffsets(topic);
          const [committed] = await admin.fetchOffsets({ groupId, topics: [topic] });
          for (const { partition, offset } of committed?.partitions ?? []) {
            const end = Number(ends.find((one) => one.partition === partition)?.high ?? 0);
            if (end > Math.max(Number(offset), 0)) return false;
          }
        }
        const waiting = await query(
          ['orders', 'inventory', 'payments', 'orchestration']
            .map((schema) => `select 1 from ${schema}.outbox where published_at is null`)
            .join(' union all '),
        );
        return waiting.length === 0;
      },
      { withinMs: 120_000, everyMs: 300 },
    );
  } finally {
    await admin.disconnect();
  }
}
