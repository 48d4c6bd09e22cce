/** The topics of the contract are made by whoever comes first: nobody has to prepare a broker. */
import { topicSettings } from '@ticket-saga/contract/topics';
import { untilDone } from './backoff.ts';
import type { PartHealth } from './health.ts';
import type { Kafka } from './kafka.ts';
import { errorFields, type Logger } from './logger.ts';

/** Tries until Kafka answers, or until the returned function is called. */
export function makeTopics(kafka: Kafka, health: PartHealth, logger: Logger): () => Promise<void> {
  const stop = new AbortController();
  const made = untilDone(
    async () => {
      await ensureTopics(kafka);
      health.ok();
    },
    (error, failures) => {
      health.failed(`Kafka does not answer: ${String(error)}`);
      logger.warn('topics: trying again', { failures, ...errorFields(error) });
    },
    stop.signal,
  );
  return async () => {
    stop.abort();
    await made;
  };
}

/** Makes the topics of the contract that are missing. Rejects while the broker is away. */
async function ensureTopics(kafka: Kafka): Promise<void> {
  const admin = kafka.admin();
  await admin.connect();
  try {
    const there = new Set(await admin.listTopics());
    const missing = Object.entries(topicSettings).filter(([topic]) => !there.has(topic));
    if (missing.length === 0) return;
    await admin.createTopics({
      waitForLeaders: true,
      topics: missing.map(([topic, { partitions, config }]) => ({
        topic,
        numPartitions: partitions,
        configEntries: Object.entries(config).map(([name, value]) => ({ name, value })),
      })),
    });
  } finally {
    await admin.disconnect();
  }
}
