/** What cannot be handled is kept whole in `dead-letters`, so that nothing is lost and nothing blocks its partition. */
import { createHash } from 'node:crypto';
import { type DeadLetter, topics } from '@ticket-saga/contract/topics';
import type { OutgoingRecord } from './kafka.ts';
import { z } from 'zod';

export type DeadSource = {
  topic: string;
  partition?: number;
  offset?: string;
  key: string | null;
  value: Buffer | null;
  headers?: Record<string, string>;
};

const readableOrderId = z.object({ orderId: z.uuid() });

/** The order id, where it can be read: from the value, else from the record's key. */
function orderIdOf(source: DeadSource): string | undefined {
  try {
    const parsed = readableOrderId.safeParse(JSON.parse(source.value?.toString('utf8') ?? ''));
    if (parsed.success) return parsed.data.orderId;
  } catch {
    // Not JSON: the key may still tell.
  }
  const key = z.uuid().safeParse(source.key);
  return key.success ? key.data : undefined;
}

export function deadLetterOf(
  service: string,
  source: DeadSource,
  reason: { code: string; message: string },
): DeadLetter {
  const text = source.value?.toString('utf8') ?? null;
  const readable = text === null || Buffer.from(text, 'utf8').equals(source.value ?? Buffer.alloc(0));
  const orderId = orderIdOf(source);
  const where =
    source.offset === undefined
      ? createHash('sha256')
          .update(source.value ?? '')
          .digest('hex')
      : source.offset;
  return {
    idempotencyKey: `dead:${service}:${source.topic}:${source.partition ?? 0}:${where}`,
    type: 'DEAD_LETTER',
    occurredAt: new Date().toISOString(),
    ...(orderId === undefined ? {} : { orderId }),
    reason,
    service,
    source: {
      topic: source.topic,
      ...(source.partition === undefined ? {} : { partition: source.partition }),
      ...(source.offset === undefined ? {} : { offset: source.offset }),
      key: source.key,
      value: readable ? text : (source.value?.toString('base64') ?? null),
      encoding: readable ? 'utf8' : 'base64',
      headers: source.headers ?? {},
    },
  };
}

/** The Kafka record of a dead letter; its key is the order's id where that is known. */
export function deadLetterRecord(letter: DeadLetter): OutgoingRecord {
  const key = letter.orderId ?? letter.source.key ?? letter.idempotencyKey;
  return { topic: topics.deadLetters, key, value: JSON.stringify(letter), headers: {} };
}
