/** Kafka through kafkajs. It is no longer maintained, so only this folder works with it (decision 0003). */
import { signatureHeader } from '@ticket-saga/contract/topics';
import { Kafka, logLevel, Partitioners } from 'kafkajs';
import { groupBy } from './group-by.ts';
import type { Logger } from './logger.ts';
import { sign } from './signature.ts';

export type { Kafka } from 'kafkajs';

export type OutgoingRecord = { topic: string; key: string; value: string; headers: Record<string, string> };

export type Producer = {
  /**
   * Sends all and waits until the broker has them (acks from all replicas); at least once: what was not acknowledged is
   * sent again and may be there twice. Rejects when the broker stays away or silent.
   */
  send(records: OutgoingRecord[]): Promise<void>;
  stop(): Promise<void>;
};

export function createKafka(brokers: string[], clientId: string, logger: Logger): Kafka {
  return new Kafka({
    clientId,
    brokers,
    connectionTimeout: 3_000,
    requestTimeout: 10_000,
    // Few and quick: the callers have patience of their own, and show that they wait.
    retry: { retries: 3, initialRetryTime: 200, maxRetryTime: 2_000 },
    logLevel: logLevel.WARN,
    logCreator: () => (entry) => {
      const { message, ...rest } = entry.log;
      const error = typeof rest['error'] === 'string' ? rest['error'] : undefined;
      logger.log(entry.level === logLevel.ERROR ? 'warn' : 'debug', `kafka: ${message}`, { error });
    },
  });
}

/**
 * A producer that connects at its first use, and again after a failure.
 * @param secret signs what has no signature yet; without one it goes out unsigned, as written by hand
 */
export function createProducer(kafka: Kafka, secret?: string): Producer {
  const producer = kafka.producer({
    // kafkajs takes the sequence number back when a request fails, also one that the broker has written: the next record
    // to get that number is acknowledged as a repeat and thrown away (decision 3). Our readers know repeats themselves.
    idempotent: false,
    maxInFlightRequests: 1,
    allowAutoTopicCreation: false,
    createPartitioner: Partitioners.DefaultPartitioner,
    retry: { retries: 5, initialRetryTime: 200, maxRetryTime: 2_000 },
  });
  let connected: Promise<void> | undefined;
  return {
    async send(records) {
      connected ??= producer.connect().catch((error: unknown) => {
        connected = undefined;
        throw error;
      });
      await connected;
      const byTopic = groupBy(records, (record) => record.topic);
      await producer.sendBatch({
        acks: -1,
        timeout: 8_000,
        topicMessages: [...byTopic].map(([topic, messages]) => ({
          topic,
          messages: messages.map(({ key, value, headers }) => ({
            key,
            value,
            headers: signed(value, headers, secret),
          })),
        })),
      });
    },
    stop: async () => {
      if (connected) await producer.disconnect();
    },
  };
}

/** What payment-service has signed with a secret of its own stays as it is. */
function signed(value: string, headers: OutgoingRecord['headers'], secret: string | undefined) {
  return secret === undefined ? headers : { [signatureHeader]: sign(secret, value), ...headers };
}
