/**
 * Reads one topic. An offset moves only after its message's effect is committed, or the message is safely in
 * `dead-letters`. Messages of one key are handled in order, different keys side by side.
 */
import type { Consumer, EachBatchPayload, Kafka, KafkaMessage } from 'kafkajs';
import type { z } from 'zod';
import { backoffMs, pause, untilDone } from './backoff.ts';
import { deadLetterOf, deadLetterRecord, type DeadSource } from './dead-letters.ts';
import { isUnstorable, PermanentError } from './errors.ts';
import { groupBy } from './group-by.ts';
import type { PartHealth } from './health.ts';
import type { Producer } from './kafka.ts';
import { errorFields, type Logger } from './logger.ts';
import type { Metrics } from './metrics.ts';

export type MessageMeta = { headers: Record<string, string>; rawValue: Buffer; source: DeadSource };

export type ConsumerOptions<Schema extends z.ZodType> = {
  kafka: Kafka;
  groupId: string;
  topic: string;
  schema: Schema;
  /**
   * Makes the message's effect. Throws `PermanentError` for what can never succeed (→ dead letter); anything else is
   * tried again with growing pauses for as long as it takes, and the partition waits.
   */
  handle(event: z.output<Schema>, meta: MessageMeta): Promise<void>;
  producer: Producer;
  service: string;
  health: PartHealth;
  logger: Logger;
  metrics: Metrics;
  /** Keys handled side by side at the most. */
  concurrency?: number;
};

/** Runs until the returned function is called. Connects with patience: a broker that is away is no reason to fail. */
export function startConsumer<Schema extends z.ZodType>(options: ConsumerOptions<Schema>): () => Promise<void> {
  const { kafka, groupId, topic, health, logger } = options;
  const stop = new AbortController();
  /** Offsets that are being tried again: meanwhile a heartbeat does not make the part healthy. */
  const waiting = new Set<string>();
  let consumer: Consumer | undefined;

  const connect = async () => {
    consumer = kafka.consumer({
      groupId,
      sessionTimeout: 20_000,
      heartbeatInterval: 3_000,
      rebalanceTimeout: 20_000,
      maxWaitTimeInMs: 1_000,
      allowAutoTopicCreation: false,
      // kafkajs ends the consumer on an error it calls fatal; `restart` below begins anew instead.
      retry: { retries: 3, restartOnFailure: async () => false },
    });
    const alive = () => {
      if (waiting.size === 0) health.ok();
    };
    consumer.on(consumer.events.HEARTBEAT, alive);
    consumer.on(consumer.events.FETCH, alive);
    consumer.on(consumer.events.CRASH, ({ payload }) => {
      health.failed(`Kafka consumer lost: ${payload.error.message}`);
      if (!stop.signal.aborted) void restart();
    });
    await consumer.connect();
    await consumer.subscribe({ topic, fromBeginning: true });
    await consumer.run({
      autoCommit: false,
      eachBatchAutoResolve: false,
      eachBatch: (batch) => handleBatch(options, batch, waiting, stop.signal),
    });
  };
  const restart = async () => {
    await consumer?.disconnect().catch(() => undefined);
    await untilDone(
      connect,
      (error, failures) => {
        health.failed(`cannot read ${topic}: ${String(error)}`);
        logger.warn('consumer: trying again', { topic, failures, ...errorFields(error) });
        void consumer?.disconnect().catch(() => undefined);
      },
      stop.signal,
    );
  };
  const running = restart();
  return async () => {
    stop.abort();
    await running;
    await consumer?.disconnect().catch(() => undefined);
  };
}

async function handleBatch<Schema extends z.ZodType>(
  options: ConsumerOptions<Schema>,
  { batch, heartbeat, resolveOffset, commitOffsetsIfNecessary, isRunning, isStale }: EachBatchPayload,
  waiting: Set<string>,
  signal: AbortSignal,
): Promise<void> {
  const goOn = () => isRunning() && !isStale() && !signal.aborted;
  // Kafka takes the partition away from a silent member; handling can be slow (the engine is away), so it beats beside.
  const beat = setInterval(() => void heartbeat().catch(() => undefined), 2_000);
  try {
    const chunkSize = (options.concurrency ?? 32) * 4;
    for (let at = 0; at < batch.messages.length && goOn(); at += chunkSize) {
      const chunk = batch.messages.slice(at, at + chunkSize);
      const byKey = [...groupBy(chunk, (message) => message.key?.toString() ?? message.offset).values()];
      const workers = Array.from({ length: options.concurrency ?? 32 }, async () => {
        for (let messages = byKey.shift(); messages; messages = byKey.shift()) {
          for (const message of messages) await handleWithPatience(options, batch, message, waiting, goOn, signal);
        }
      });
      await Promise.all(workers);
      const last = chunk.at(-1);
      if (!goOn() || !last) return; // what is not committed comes again
      resolveOffset(last.offset);
      await commitOffsetsIfNecessary({
        topics: [
          {
            topic: batch.topic,
            partitions: [{ partition: batch.partition, offset: String(BigInt(last.offset) + 1n) }],
          },
        ],
      });
      await heartbeat();
    }
  } finally {
    clearInterval(beat);
  }
}

async function handleWithPatience<Schema extends z.ZodType>(
  options: ConsumerOptions<Schema>,
  batch: { topic: string; partition: number },
  message: KafkaMessage,
  waiting: Set<string>,
  goOn: () => boolean,
  signal: AbortSignal,
): Promise<void> {
  const place = `${batch.partition}:${message.offset}`;
  for (let failures = 1; goOn(); failures += 1) {
    try {
      await handleOnce(options, batch, message);
      waiting.delete(place);
      return;
    } catch (error) {
      waiting.add(place);
      options.health.failed(`${batch.topic} waits at offset ${message.offset}: ${String(error)}`);
      options.logger.warn('message: trying again', {
        topic: batch.topic,
        offset: message.offset,
        failures,
        ...errorFields(error),
      });
      await pause(backoffMs(failures, 250, 10_000), signal);
    }
  }
  waiting.delete(place);
}

async function handleOnce<Schema extends z.ZodType>(
  options: ConsumerOptions<Schema>,
  batch: { topic: string; partition: number },
  message: KafkaMessage,
): Promise<void> {
  const headers = textHeaders(message);
  const source: DeadSource = {
    topic: batch.topic,
    partition: batch.partition,
    offset: message.offset,
    key: message.key?.toString() ?? null,
    value: message.value,
    headers,
  };
  const count = (result: string) => options.metrics.messages.inc({ topic: batch.topic, result });
  try {
    await options.handle(parseMessage(options.schema, message.value), {
      headers,
      rawValue: message.value ?? Buffer.alloc(0),
      source,
    });
    count('done');
  } catch (error) {
    const permanent = isUnstorable(error)
      ? new PermanentError(
          'UNSTORABLE_MESSAGE',
          `The database refuses what it says: ${String(error).split('\n').at(-1)}`,
        )
      : error;
    if (!(permanent instanceof PermanentError)) throw error;
    options.logger.error('message goes to the dead letters', {
      topic: batch.topic,
      offset: message.offset,
      ...errorFields(permanent),
    });
    const letter = deadLetterOf(options.service, source, { code: permanent.code, message: permanent.message });
    await options.producer.send([deadLetterRecord(letter)]);
    count('dead');
  }
}

/** Throws `PermanentError` UNREADABLE_MESSAGE with the list of what is wrong. */
export function parseMessage<Schema extends z.ZodType>(schema: Schema, value: Buffer | null): z.output<Schema> {
  let json: unknown;
  try {
    json = JSON.parse(value?.toString('utf8') ?? '');
  } catch (cause) {
    throw new PermanentError('UNREADABLE_MESSAGE', 'The value is not JSON.', cause);
  }
  const parsed = schema.safeParse(json);
  if (!parsed.success) {
    const issues = parsed.error.issues.map((issue) => `${issue.path.join('.') || 'value'}: ${issue.message}`);
    throw new PermanentError('UNREADABLE_MESSAGE', issues.join('; ').slice(0, 1_000));
  }
  return parsed.data;
}

function textHeaders(message: KafkaMessage): Record<string, string> {
  return Object.fromEntries(
    Object.entries(message.headers ?? {}).flatMap(([name, value]) => {
      const first = Array.isArray(value) ? value[0] : value;
      return first === undefined ? [] : [[name, first.toString()]];
    }),
  );
}
