import { expect, it } from '@jest/globals';
import type { Kafka } from 'kafkajs';
import { topics } from '../../contract/topics.ts';
import { createProducer } from '../kafka.ts';
import { isSigned, secretToAskFor } from '../signature.ts';

const secret = 'a-secret-of-the-shop';

/** What a producer hands to the Kafka client. */
async function sent(headers: Record<string, string>, by: string | undefined) {
  const batches: { topicMessages: { messages: { value: string; headers: Record<string, string> }[] }[] }[] = [];
  const kafka = {
    producer: () => ({
      connect: async () => undefined,
      sendBatch: async (batch: (typeof batches)[number]) => void batches.push(batch),
    }),
  } as unknown as Kafka;
  await createProducer(kafka, by).send([{ topic: topics.createdOrders, key: 'k', value: '{"n":"ü"}', headers }]);
  return batches[0]?.topicMessages[0]?.messages[0]?.headers;
}

it('A service signs all that it writes, over the very bytes that are sent', async () => {
  const headers = await sent({}, secret);
  expect(isSigned(secret, Buffer.from('{"n":"ü"}'), headers?.['signature'])).toBe(true);
});

it('What payment-service has signed with its own secret stays as it is, and what is written by hand is unsigned', async () => {
  expect(await sent({ signature: 'its own' }, secret)).toEqual({ signature: 'its own' });
  expect(await sent({}, undefined)).toEqual({});
});

it('Signatures are asked for in JWT mode only, and not where payment-service has a secret of its own', () => {
  const jwt = { AUTH_MODE: 'jwt', EVENT_SECRET: secret } as const;
  expect([topics.createdOrders, topics.orderSteps, topics.catalog].map((topic) => secretToAskFor(jwt, topic))).toEqual([
    secret,
    secret,
    secret,
  ]);
  expect(secretToAskFor(jwt, topics.paymentEvent)).toBeUndefined();
  expect(secretToAskFor({ ...jwt, AUTH_MODE: 'local' }, topics.createdOrders)).toBeUndefined();
});
