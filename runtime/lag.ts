/**
 * Whether a consumer gets on, as Kafka itself sees it: a partition of ours whose committed offset stands still while
 * messages wait in it shows in `/health/ready`. This also finds a client that fetches and gets nothing.
 */
import { pause } from './backoff.ts';
import type { PartHealth } from './health.ts';
import type { Kafka } from './kafka.ts';
import { errorFields, type Logger } from './logger.ts';
import type { Metrics } from './metrics.ts';

export type LagOptions = {
  kafka: Kafka;
  groupId: string;
  topic: string;
  /** The partitions that this process reads now. */
  assigned: () => number[];
  /** How long a partition may stand still while messages wait in it, ms. */
  stalledAfterMs: number;
  health: PartHealth;
  logger: Logger;
  metrics: Metrics;
};

type Place = { partition: number; committed: number; newest: number };
/** `since`: when the partition was first seen to stand there, ms. */
type Standing = Place & { since: number };
type Admin = ReturnType<Kafka['admin']>;

/** Watches until the returned function is called. */
export function watchLag(options: LagOptions): () => Promise<void> {
  const stop = new AbortController();
  options.health.ok(); // nothing is known against it
  const watching = watch(options, stop.signal);
  return async () => {
    stop.abort();
    await Promise.race([watching, pause(500)]); // a call to Kafka that is away need not be waited for
  };
}

async function watch(options: LagOptions, signal: AbortSignal): Promise<void> {
  const { topic, stalledAfterMs, health, logger } = options;
  const standing = new Map<number, Standing>();
  let admin = options.kafka.admin();
  while (!signal.aborted) {
    await pause(stalledAfterMs / 4, signal);
    if (signal.aborted) break;
    try {
      const behind = noteWhoStands(await placesOf(admin, options), standing);
      const stalled = behind.find(({ since }) => Date.now() - since > stalledAfterMs);
      if (stalled) health.failed(sentence(topic, stalled));
      else health.ok();
    } catch (error) {
      standing.clear();
      health.ok(); // Kafka is away: the consumer itself says so
      logger.debug('lag: not known', { topic, ...errorFields(error) });
      void admin.disconnect().catch(() => undefined);
      admin = options.kafka.admin(); // one that lost its broker is not to be connected again
    }
  }
  await admin.disconnect().catch(() => undefined);
}

/** The partitions in which messages wait, each with the time since when it has stood where it stands. */
function noteWhoStands(places: Place[], standing: Map<number, Standing>): Standing[] {
  const behind = places
    .filter(({ committed, newest }) => newest > committed)
    .map((place) => {
      const before = standing.get(place.partition);
      return { ...place, since: before?.committed === place.committed ? before.since : Date.now() };
    });
  standing.clear();
  for (const place of behind) standing.set(place.partition, place);
  return behind;
}

function sentence(topic: string, { partition, committed, newest, since }: Standing): string {
  const seconds = Math.round((Date.now() - since) / 1000);
  return `${topic} does not get on for ${seconds} s: ${newest - committed} wait from offset ${committed} of partition ${partition}`;
}

async function placesOf(admin: Admin, { groupId, topic, assigned, metrics }: LagOptions): Promise<Place[]> {
  await admin.connect();
  const ends = new Map((await admin.fetchTopicOffsets(topic)).map((end) => [end.partition, end]));
  const [group] = await admin.fetchOffsets({ groupId, topics: [topic] });
  const mine = new Set(assigned());
  return (group?.partitions ?? []).flatMap(({ partition, offset }) => {
    const end = ends.get(partition);
    if (!end || !mine.has(partition)) {
      metrics.consumerLag.remove({ topic, partition });
      return [];
    }
    // -1: nothing is committed yet. What Kafka has deleted meanwhile does not wait.
    const place = { partition, committed: Math.max(Number(offset), Number(end.low)), newest: Number(end.high) };
    metrics.consumerLag.set({ topic, partition }, place.newest - place.committed);
    return place;
  });
}
