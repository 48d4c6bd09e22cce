import { describe, expect, it } from '@jest/globals';
import type { EachBatchHandler } from 'kafkajs';
import { z } from 'zod';
import { startConsumer } from '../consumer.ts';
import { createHealth } from '../health.ts';
import type { OutgoingRecord } from '../kafka.ts';
import { createLogger } from '../logger.ts';
import type { ConsumerOptions } from '../message.ts';
import { createMetrics } from '../metrics.ts';

const schema = z.object({ n: z.number() });

/** A consumer whose Kafka hands out one batch when the test says so, and tells which offset was committed. */
async function consumerOf(topic: string, more: Partial<ConsumerOptions<typeof schema>>) {
  let eachBatch: EachBatchHandler | undefined;
  const kafka = {
    consumer: () => ({
      events: {},
      on: () => undefined,
      connect: async () => undefined,
      subscribe: async () => undefined,
      run: async (config: { eachBatch: EachBatchHandler }) => void (eachBatch = config.eachBatch),
      disconnect: async () => undefined,
    }),
  };
  const options = {
    kafka,
    groupId: 'test',
    topic,
    schema,
    service: 'test',
    health: createHealth().part('consumer'),
    logger: createLogger('test', 'silent'),
    metrics: createMetrics('test'),
    onAssigned: () => undefined,
    handle: async () => undefined,
    ...more,
  } as unknown as ConsumerOptions<typeof schema>;
  const stop = startConsumer(options);
  await new Promise((resolve) => setImmediate(resolve));
  const committed: string[] = [];
  const give = (values: string[]) => {
    const messages = values.map((value, offset) => ({
      key: Buffer.from(`k${offset}`),
      value: Buffer.from(value),
      offset: String(offset),
      timestamp: '',
      attributes: 0,
      headers: {},
    }));
    const payload = {
      batch: { topic, partition: 0, messages },
      heartbeat: async () => undefined,
      resolveOffset: () => undefined,
      commitOffsetsIfNecessary: async (offsets: { topics: { partitions: { offset: string }[] }[] }) =>
        void committed.push(offsets.topics[0]?.partitions[0]?.offset ?? ''),
      isRunning: () => true,
      isStale: () => false,
    };
    return eachBatch?.(payload as unknown as Parameters<EachBatchHandler>[0]);
  };
  return { give, committed, stop };
}

function letters(failures: number) {
  const written: OutgoingRecord[] = [];
  let left = failures;
  const send = async (records: OutgoingRecord[]) => {
    if ((left -= 1) >= 0) throw Object.assign(new Error('Kafka refuses'), { name: 'KafkaJSProtocolError' });
    written.push(...records);
  };
  return { written, producer: { send, stop: async () => undefined } };
}

describe('A poison message', () => {
  it('does not block its partition: it is kept as a dead letter, and the offset moves behind it', async () => {
    const { written, producer } = letters(0);
    const handled: number[] = [];
    const handle = async ({ n }: { n: number }) => void handled.push(n);
    const { give, committed, stop } = await consumerOf('catalog', { producer, handle });
    await give(['{"n":1}', 'poison', '{"n":2}']);
    expect([handled, written.length, committed]).toEqual([[1, 2], 1, ['3']]);
    await stop();
  });

  it('holds the offset for as long as its dead letter cannot be written', async () => {
    const { written, producer } = letters(2);
    const { give, committed, stop } = await consumerOf('catalog', { producer });
    const given = give(['poison']);
    await new Promise((resolve) => setTimeout(resolve, 100)); // it waits before each new try
    expect([written, committed]).toEqual([[], []]);
    await given;
    expect([written.length, committed]).toEqual([1, ['1']]);
    await stop();
  });

  it('whose dead letter could never be written leaves the offset where it was when the service stops', async () => {
    const { producer } = letters(Infinity);
    const { give, committed, stop } = await consumerOf('catalog', { producer });
    const given = give(['poison']);
    await new Promise((resolve) => setTimeout(resolve, 400)); // tried more than once
    await stop();
    await given;
    expect(committed).toEqual([]);
  });

  it('in the dead letters themselves is followed by no further letter', async () => {
    const { written, producer } = letters(0);
    const { give, committed, stop } = await consumerOf('dead-letters', { producer });
    await give(['poison']);
    expect([written, committed]).toEqual([[], ['1']]);
    await stop();
  });

  it('is given to whoever takes what cannot be read', async () => {
    const { written, producer } = letters(0);
    const taken: string[] = [];
    const unreadable: NonNullable<ConsumerOptions<typeof schema>['unreadable']> = async ({ rawValue }) =>
      void taken.push(rawValue.toString());
    const { give, committed, stop } = await consumerOf('dead-letters', { producer, unreadable });
    await give(['poison', '{"n":1}']);
    expect([taken, written, committed]).toEqual([['poison'], [], ['2']]);
    await stop();
  });
});
