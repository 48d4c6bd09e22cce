/**
 * Consumers that stop getting on show in `/health/ready`, and are green again when they do; one that hangs for good shows in
 * `/health/live`. Real topics, real groups.
 */
import { randomUUID } from 'node:crypto';
import { afterAll, afterEach, describe, expect, it } from '@jest/globals';
import { type ConsumerOptions, startConsumer } from '@ticket-saga/runtime/consumer';
import { createDb, watchDatabase } from '@ticket-saga/runtime/database';
import { databaseUrl } from '@ticket-saga/runtime/database-url';
import { createHealth, type Health } from '@ticket-saga/runtime/health';
import { closeServer, createApp, finishApp, listen } from '@ticket-saga/runtime/http';
import { watchLag } from '@ticket-saga/runtime/lag';
import { createLogger } from '@ticket-saga/runtime/logger';
import { createMetrics } from '@ticket-saga/runtime/metrics';
import { z } from 'zod';
import { eventually } from '../support/eventually.ts';
import { createGate } from '../support/gate.ts';
import { shop } from '../support/system.ts';

/** In the services it is a minute. Longer than Kafka's own hiccups, short enough for a test, ms. */
const standardMs = 5_000;
const patience = { withinMs: 40_000, everyMs: 200 };

const stops: (() => Promise<void>)[] = [];
afterEach(async () => {
  for (const stop of stops.splice(0).toReversed()) await stop();
}, 30_000);
afterAll(() => shop.close(), 30_000);

const logger = createLogger('test', 'silent');
const metrics = createMetrics('test');

/** A topic of its own with one partition, a health to see, and a consumer of it whose handler stands at a gate. */
async function bench(stalledAfterMs = standardMs) {
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
  const reader = { kafka: shop.kafka, topic, groupId, logger, metrics };
  const gate = createGate();
  const handled: unknown[] = [];
  const consume = () => {
    const options: ConsumerOptions<z.ZodUnknown> = {
      ...reader,
      schema: z.unknown(),
      service: 'test',
      producer: { send: async () => undefined, stop: async () => undefined },
      health: health.part(`consumer ${topic}`, stalledAfterMs),
      onAssigned: () => undefined,
      handle: async (message) => {
        await gate.passed;
        handled.push(message);
      },
    };
    stops.push(startConsumer(options));
    stops.push(async () => gate.open());
  };
  return { topic, health, detail, commit, reader, gate, handled, consume };
}

/** The diagnostics of the app that every service starts from, over HTTP. */
async function served(health: Health) {
  const app = finishApp(createApp({ service: 'test', version: '0', logger, health, metrics }), logger);
  const { server, port } = await listen(app, 0, '127.0.0.1');
  stops.push(() => closeServer(server));
  return async (path: '/health/live' | '/health/ready') => {
    const answer = await fetch(`http://127.0.0.1:${port}${path}`);
    return { status: answer.status, body: await answer.json() };
  };
}

describe('A consumer', () => {
  it('whose handler hangs is not ready, though heartbeats go on beside it; an idle one is', async () => {
    const { topic, health, detail, gate, handled, consume } = await bench();
    consume();
    await eventually('ready without any message', () => health.report().ready, patience);
    const idleSince = Date.now();
    await eventually('idle for longer than the limit', () => Date.now() - idleSince > 1.5 * standardMs, patience);
    expect(health.report().ready).toBe(true);

    await shop.send(topic, 'a', '{"n":1}');
    await eventually('red, naming topic and offset', () => detail()?.includes(`${topic} stands at offset 0`), patience);
    gate.open();
    await eventually('green', () => health.report().ready, patience);
    expect(handled).toEqual([{ n: 1 }]);
  }, 120_000);

  it('that fetches and gets nothing, while messages wait, is not ready: Kafka knows where it stands', async () => {
    const { topic, health, detail, commit, reader } = await bench();
    stops.push(
      watchLag({ ...reader, assigned: () => [0], stalledAfterMs: standardMs, health: health.part('progress') }),
    );
    const since = Date.now();
    await eventually('no message, no lag', () => Date.now() - since > 1.5 * standardMs, patience);
    expect(health.report().ready).toBe(true);

    await shop.send(topic, 'a', '{"n":1}');
    await eventually('red, naming the topic', () => detail()?.startsWith(`${topic} does not get on`), patience);
    await commit(1);
    await eventually('green', () => health.report().ready, patience);
  }, 120_000);
});

describe('/health/live', () => {
  it('answers 200 while the database is away, and 503 naming the part once a handler hangs for five times the limit', async () => {
    const limitMs = 2_000;
    const { topic, health, handled, gate, consume } = await bench(limitMs);
    const get = await served(health);
    consume();
    await eventually('ready', async () => (await get('/health/ready')).status === 200, patience);

    // Nobody listens on port 1.
    const away = createDb(
      databaseUrl('orders', { DATABASE_HOST: '127.0.0.1', POSTGRES_PORT: 1, DATABASE_NAME: 'gone' }),
    );
    stops.push(() => away.$disconnect());
    const unwatch = watchDatabase(away, health);
    stops.push(async () => unwatch());
    await eventually('not ready', async () => (await get('/health/ready')).status === 503, patience);
    const awaySince = Date.now();
    await eventually('away for longer than the limit', () => Date.now() - awaySince > 6 * limitMs, patience);
    expect(await get('/health/ready')).toMatchObject({ body: { parts: { database: { ok: false } } } });
    expect(await get('/health/live')).toEqual({ status: 200, body: { status: 'up' } });

    await shop.send(topic, 'a', '{"n":1}');
    const red = await eventually(
      'not live',
      async () => {
        const answer = await get('/health/live');
        return answer.status === 503 && answer;
      },
      patience,
    );
    const why = expect.stringMatching(
      new RegExp(`^${topic} stands at offset 0 of partition 0: has not ended for \\d+ s$`),
    );
    expect(red.body).toEqual({ status: 'stuck', parts: { [`consumer ${topic}`]: why } });
    gate.open();
    await eventually('live', async () => (await get('/health/live')).status === 200, patience);
    expect(handled).toEqual([{ n: 1 }]);
  }, 150_000);
});
