/** What Kafka acknowledges it has, also when it was silent in the middle of a send and the client gave up waiting. */
import { randomUUID } from 'node:crypto';
import { setTimeout as pause } from 'node:timers/promises';
import { afterAll, afterEach, expect, it } from '@jest/globals';
import { createProducer } from '@ticket-saga/runtime/kafka';
import { eventually } from '../support/eventually.ts';
import { part, shop } from '../support/system.ts';

const stops: (() => Promise<void>)[] = [];
afterEach(async () => {
  await part('kafka', 'resume');
  for (const stop of stops.splice(0).toReversed()) await stop();
}, 30_000);
afterAll(() => shop.close(), 30_000);

/** A topic of its own with one partition, and all that anybody reads from it. */
async function newTopic() {
  const topic = `silent-${randomUUID()}`;
  const admin = shop.kafka.admin();
  await admin.connect();
  stops.push(() => admin.disconnect());
  await admin.createTopics({ waitForLeaders: true, topics: [{ topic, numPartitions: 1 }] });
  const read = new Set<string>();
  const consumer = shop.kafka.consumer({ groupId: topic });
  await consumer.connect();
  stops.push(() => consumer.disconnect());
  await consumer.subscribe({ topic, fromBeginning: true });
  await consumer.run({ eachMessage: async ({ message }) => void read.add(String(message.value)) });
  return { topic, read };
}

it('loses nothing that it acknowledged when two sends met while it was silent for longer than a request may take', async () => {
  const { topic, read } = await newTopic();
  const producer = createProducer(shop.kafka);
  stops.push(() => producer.stop());
  const send = (value: string) => producer.send([{ topic, key: 'an order', value, headers: {} }]);
  await send('before');

  await part('kafka', 'pause');
  // A request gives up after 10 s; the first is written all the same when Kafka wakes up, with nobody to hear of it.
  const sends = ['an event', 'another, of another step', 'a third'].map(send);
  const settled = Promise.allSettled(sends);
  await pause(11_500);
  await part('kafka', 'resume');

  expect((await settled).map(({ status }) => status)).toEqual(['fulfilled', 'fulfilled', 'fulfilled']);
  await send('after');
  await eventually('the last one is read', () => read.has('after'), { withinMs: 30_000 });
  expect([...read].toSorted()).toEqual(['a third', 'after', 'an event', 'another, of another step', 'before']);
}, 90_000);
