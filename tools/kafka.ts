/** `npm run kafka -- …`: look into the topics, and act out a service by sending a message by hand. */
import { randomUUID } from 'node:crypto';
import { parseArgs } from 'node:util';
import {
  catalogEvent,
  createdOrdersEvent,
  deadLetter,
  orderStepsEvent,
  paymentEvent,
  type Topic,
  topics,
} from '@ticket-saga/contract/topics';
import { createKafka, createProducer, type Kafka } from '@ticket-saga/runtime/kafka';
import { createLogger } from '@ticket-saga/runtime/logger';
import { z } from 'zod';

const schemas: Record<Topic, z.ZodType> = {
  'created-orders': createdOrdersEvent,
  'payment-event': paymentEvent,
  'order-steps': orderStepsEvent,
  catalog: catalogEvent,
  'dead-letters': deadLetter,
};
const topicNames = Object.values(topics).join(', ');

const usage = `Kafka by hand. Topics: ${topicNames}

  npm run kafka -- list                            topics with their number of messages
  npm run kafka -- tail <topic> [--new] [--count N]  messages, one JSON a line; from the beginning, or only new ones
  npm run kafka -- send <topic> '<json>' [--raw]   sends one message; idempotencyKey and occurredAt are added where
                                                   they are missing. What does not fit the contract is refused,
                                                   unless --raw sends it as it is (to see a dead letter)

Example, the answer of a payment that waits for a person (tok_manual):
  npm run kafka -- send payment-event '{"type":"PAYMENT_APPROVED","orderId":"<id>"}'
`;

const print = (line: string) => process.stdout.write(`${line}\n`);

class UsageError extends Error {}

function topicOf(name: string | undefined): Topic {
  const found = Object.values(topics).find((topic) => topic === name);
  if (!found) throw new UsageError(`${name ? `There is no topic "${name}"` : 'Name a topic'}: ${topicNames}.`);
  return found;
}

async function list(kafka: Kafka): Promise<void> {
  const admin = kafka.admin();
  await admin.connect();
  try {
    for (const topic of Object.values(topics)) {
      const offsets = await admin.fetchTopicOffsets(topic);
      const messages = offsets.reduce((sum, { high, low }) => sum + Number(high) - Number(low), 0);
      print(
        `${topic.padEnd(16)} ${String(offsets.length).padStart(2)} partitions  ${String(messages).padStart(8)} messages`,
      );
    }
  } finally {
    await admin.disconnect();
  }
}

async function send(kafka: Kafka, topic: Topic, text: string | undefined, raw: boolean): Promise<void> {
  if (text === undefined) throw new UsageError('Give the message as JSON.');
  const value = raw ? text : JSON.stringify(complete(topic, text));
  const producer = createProducer(kafka);
  await producer.send([{ topic, key: keyOf(text), value, headers: {} }]);
  await producer.stop();
  print(`sent to ${topic}: ${value}`);
}

/** Adds what every message carries, and holds the whole against the contract. */
function complete(topic: Topic, text: string): unknown {
  let given: unknown;
  try {
    given = JSON.parse(text);
  } catch (cause) {
    throw new UsageError(`This is not JSON (put it into single quotes): ${text}`, { cause });
  }
  const object = z.record(z.string(), z.unknown()).safeParse(given);
  if (!object.success) throw new UsageError('The message must be a JSON object.');
  const whole = { idempotencyKey: `by-hand:${randomUUID()}`, occurredAt: new Date().toISOString(), ...object.data };
  const parsed = schemas[topic].safeParse(whole);
  if (!parsed.success) throw new UsageError(`This does not fit ${topic}:\n${z.prettifyError(parsed.error)}`);
  return whole;
}

function keyOf(text: string): string {
  try {
    const named = z
      .object({ orderId: z.string().optional(), productId: z.string().optional() })
      .safeParse(JSON.parse(text));
    if (named.success) return named.data.orderId ?? named.data.productId ?? 'by-hand';
  } catch {
    // Sent raw: any key will do.
  }
  return 'by-hand';
}

async function tail(kafka: Kafka, topic: Topic, onlyNew: boolean, count: number): Promise<void> {
  const consumer = kafka.consumer({ groupId: `by-hand-${randomUUID()}` });
  await consumer.connect();
  await consumer.subscribe({ topic, fromBeginning: !onlyNew });
  let left = count;
  await new Promise<void>((resolve, reject) => {
    process.once('SIGINT', () => resolve());
    consumer
      .run({
        eachMessage: async ({ partition, message }) => {
          if (left <= 0) return;
          left -= 1;
          print(
            `${partition}:${message.offset} ${message.key?.toString() ?? ''} ${message.value?.toString() ?? 'null'}`,
          );
          if (left === 0) resolve();
        },
      })
      .catch(reject);
  });
  await consumer.disconnect();
}

async function main(): Promise<void> {
  const { positionals, values } = parseArgs({
    allowPositionals: true,
    options: {
      raw: { type: 'boolean', default: false },
      new: { type: 'boolean', default: false },
      count: { type: 'string' },
    },
  });
  const [command, topic, text] = positionals;
  const brokers = (process.env['KAFKA_BROKERS'] || `127.0.0.1:${process.env['KAFKA_PORT'] || '9092'}`).split(',');
  const kafka = createKafka(brokers, 'by-hand', createLogger('kafka', 'error'));
  if (command === 'list') await list(kafka);
  else if (command === 'send') await send(kafka, topicOf(topic), text, values.raw);
  else if (command === 'tail') await tail(kafka, topicOf(topic), values.new, Number(values.count ?? Infinity));
  else throw new UsageError(`${command ? `There is no command "${command}".\n\n` : ''}${usage}`);
}

try {
  await main();
  process.exit(0);
} catch (error) {
  if (error instanceof UsageError) process.stderr.write(`${error.message.trimEnd()}\n`);
  else
    process.stderr.write(
      `Kafka could not be used: ${error instanceof Error ? error.message : String(error)}. Does it run (npm start)?\n`,
    );
  process.exit(1);
}
