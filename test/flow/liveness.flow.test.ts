/** Consumers that stop getting on show in `/health/ready`, and are green again when they do. Real topics, real groups. */
import { randomUUID } from 'node:crypto';
import { afterAll, afterEach, describe, expect, it } from '@jest/globals';
import { type ConsumerOptions, startConsumer } from '@ticket-saga/runtime/consumer';
import { createHealth } from '@ticket-saga/runtime/health';
import { watchLag } from '@ticket-saga/runtime/lag';
import { createLogger } from '@ticket-saga/runtime/logger';
import { createMetrics } from '@ticket-saga/runtime/metrics';
import { z } from 'zod';
import { eventually } from '../support/eventually.ts';
import { createGate } from '../support/gate.ts';
import { shop } from '../support/system.ts';

/** In the services it is a minute. Longer than Kafka's own hiccups, short enough for a test, ms. */
const stalledAfterMs = 5_000;
const patience = { withinMs: 40_000, everyMs: 200 };

const stops: (() => Promise<void>)[] = [];
afterEach(async () => {
  for (const stop of stops.splice(0).toReversed()) await stop();
}, 30_000);
afterAll(() => shop.close(), 30_000);

const logger = createLogger('test', 'silent');
const metrics = createMetrics('test');

/** A topic of its own with one partition, and a health to see. */
async function bench() {
  const topic = `liveness-${randomUUID()}`;
  const groupId = `test.${topic}`;
  const admin = shop.kafka.admin();
  await admin.connect();
  await admin.createTopics({ waitForLeaders: true, topics: [{ topic, numPartitions: 1 }] });
  stops.push(() => admin.disconnect());
  const health = createHealth({ stalledAfterMs });
  const detail = () => Object.values(health.report().parts).find(({ ok }) => !ok)?.detail;
  const commit = (offset: number) =>
    admin.setOffsets({ groupId, topic, partitions: [{ partition: 0, offset: String(offset) }] });
  return { topic, health, detail, commit, reader: { kafka: shop.kafka, topic, groupId, logger, metrics } };
}

describe('A consumer', () => {
  it('whose handler hangs is not ready, though heartbeats go on beside it; an idle one is', async () => {
    const { topic, health, detail, reader } = await bench();
    const gate = createGate();
    let handled = 0;
    const options: ConsumerOptions<z.ZodUnknown> = {
      ...reader,
      schema: z.unknown(),
      service: 'test',
      producer: { send: async () => undefined, stop: async () => undefined },
      health: health.part(`consumer ${topic}`, stalledAfterMs),
      onAssigned: () => undefined,
      handle: async () => {
        await gate.passed;
        handled += 1;
      },
    };
    stops.push(startConsumer(options));
    stops.push(async () => gate.open());
    await eventually('ready without any message', () => health.report().ready, patience);
    const idleSince = Date.now();
    await eventually('idle for longer than the limit', () => Date.now() - idleSince > 1.5 * stalledAfterMs, patience);
    expect(health.report().ready).toBe(true);

    await shop.send(topic, 'a', '{"n":1}');
    await eventually('red, naming topic and offset', () => detail()?.includes(`${topic} stands at offset 0`), patience);
    gate.open();
    await eventually('green', () => health.report().ready, patience);
    expect(handled).toBe(1);
  }, 120_000);

  it('that fetches and gets nothing, while messages wait, is not ready: Kafka knows where it stands', async () => {
    const { topic, health, detail, commit, reader } = await bench();
    stops.push(watchLag({ ...reader, assigned: () => [0], stalledAfterMs, health: health.part('progress') }));
    const since = Date.now();
    await eventually('no message, no lag', () => Date.now() - since > 1.5 * stalledAfterMs, patience);
    expect(health.report().ready).toBe(true);

    await shop.send(topic, 'a', '{"n":1}');
    await eventually('red, naming the topic', () => detail()?.startsWith(`${topic} does not get on`), patience);
    await commit(1);
    await eventually('green', () => health.report().ready, patience);
  }, 120_000);
});
