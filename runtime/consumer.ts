/**
 * Reads one topic. An offset moves only after its message's effect is committed, or the message is safely in
 * `dead-letters`. Messages of one key are handled in order, different keys side by side.
 */
import type { Consumer, EachBatchPayload, KafkaMessage } from 'kafkajs';
import type { z } from 'zod';
import { backoffMs, busyPauseMs, pause, untilDone } from './backoff.ts';
import { crashPoint } from './crash-points.ts';
import { groupBy } from './group-by.ts';
import { isBackPressure } from './errors.ts';
import { errorFields } from './logger.ts';
import { type ConsumerOptions, handleMessage } from './message.ts';

export type { ConsumerOptions, MessageMeta } from './message.ts';

/** Runs until the returned function is called. Connects with patience: a broker that is away is no reason to fail. */
export function startConsumer<Schema extends z.ZodType>(options: ConsumerOptions<Schema>): () => Promise<void> {
  const { kafka, groupId, topic, health, logger } = options;
  const stop = new AbortController();
  /** Offsets that are being tried again: meanwhile other messages do not make the part healthy. */
  const waiting = new Set<string>();
  let consumer: Consumer | undefined;

  const connect = async () => {
    consumer = kafka.consumer({
      groupId,
      sessionTimeout: 10_000,
      heartbeatInterval: 3_000,
      rebalanceTimeout: 20_000,
      maxWaitTimeInMs: 1_000,
      allowAutoTopicCreation: false,
      // kafkajs ends the consumer on an error it calls fatal; `restart` below begins anew instead.
      retry: { retries: 3, restartOnFailure: async () => false },
    });
    // Not at a heartbeat: those go on while a handler hangs.
    consumer.on(consumer.events.FETCH, () => {
      if (waiting.size === 0) health.ok();
    });
    consumer.on(consumer.events.GROUP_JOIN, ({ payload }) => {
      options.onAssigned(payload.memberAssignment[topic] ?? []);
    });
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
  const point = options.groupId;
  const tag = message.key?.toString();
  for (let failures = 1; goOn(); failures += 1) {
    try {
      await crashPoint(`${point}.before`, tag);
      const end = options.health.begin(
        `${batch.topic} stands at offset ${message.offset} of partition ${batch.partition}`,
      );
      await handleMessage(options, batch, message, failures).finally(end);
      await crashPoint(`${point}.before-offset`, tag);
      waiting.delete(place);
      if (waiting.size === 0) options.health.ok();
      return;
    } catch (error) {
      if (isBackPressure(error)) {
        options.logger.debug('message: the engine is busy, trying again', {
          topic: batch.topic,
          offset: message.offset,
        });
        await pause(busyPauseMs(failures), signal);
        continue;
      }
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
