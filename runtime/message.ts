/** One message of a topic: parsed, handled, and kept as a dead letter when it can never succeed. */
import { signatureHeader, topics } from '@ticket-saga/contract/topics';
import type { Kafka, KafkaMessage } from 'kafkajs';
import type { z } from 'zod';
import { deadLetterOf, deadLetterRecord, type DeadSource } from './dead-letters.ts';
import { isOwnFault, isUnstorable, PassingFault, PermanentError } from './errors.ts';
import type { PartHealth } from './health.ts';
import type { Producer } from './kafka.ts';
import { errorFields, type Logger } from './logger.ts';
import type { Metrics } from './metrics.ts';
import { isSigned } from './signature.ts';

export type MessageMeta = { headers: Record<string, string>; rawValue: Buffer; source: DeadSource };

export type ConsumerOptions<Schema extends z.ZodType> = {
  kafka: Kafka;
  groupId: string;
  topic: string;
  schema: Schema;
  /**
   * Makes the message's effect. Throws `PermanentError` for what can never succeed (→ dead letter). While our own
   * database, broker or engine is away, or for a `PassingFault`, it is tried again with growing pauses for as long as it
   * takes, and the partition waits. Any other error is a bug: a dead letter after some tries.
   */
  handle(event: z.output<Schema>, meta: MessageMeta): Promise<void>;
  /** With it, a message without the signature of one of our services goes to the dead letters unread. */
  secret?: string | undefined;
  /** Takes what does not parse, in place of the dead letters. */
  unreadable?: (meta: MessageMeta) => Promise<void>;
  producer: Producer;
  service: string;
  health: PartHealth;
  logger: Logger;
  metrics: Metrics;
  /** Hears which partitions are read here, after each deal. */
  onAssigned(partitions: number[]): void;
  /** Keys handled side by side at the most. */
  concurrency?: number;
};

/** With the pauses between them some half a minute: long enough for a hiccup nobody thought of. */
const mostTriesOfABug = 8;

/**
 * Handles one message once, or puts it into the dead letters when it can never succeed. Rejects when it is to be tried
 * again.
 * @param tries how often it has been tried with this one, counting from 1
 */
export async function handleMessage<Schema extends z.ZodType>(
  options: ConsumerOptions<Schema>,
  batch: { topic: string; partition: number },
  message: KafkaMessage,
  tries: number,
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
    believe(options.secret, message.value, headers);
    await handleOrSetAside(options, { headers, rawValue: message.value ?? Buffer.alloc(0), source });
    count('done');
  } catch (error) {
    const permanent = asPermanent(error, tries);
    if (!permanent) throw error;
    options.logger.error('message goes to the dead letters', {
      topic: batch.topic,
      offset: message.offset,
      ...errorFields(permanent),
    });
    // A letter about a letter would fail as that one did, and be followed by the next. It stays where it is: in the topic.
    if (batch.topic === topics.deadLetters) return count('dead');
    const letter = deadLetterOf(options.service, source, { code: permanent.code, message: permanent.message });
    await options.producer.send([deadLetterRecord(letter)]);
    count('dead');
  }
}

/** Throws `PermanentError` NOT_BELIEVED. */
function believe(secret: string | undefined, value: Buffer | null, headers: Record<string, string>): void {
  if (secret === undefined || isSigned(secret, value ?? '', headers[signatureHeader])) return;
  throw new PermanentError('NOT_BELIEVED', 'No service of ours has written this message.');
}

async function handleOrSetAside<Schema extends z.ZodType>(
  { schema, handle, unreadable }: ConsumerOptions<Schema>,
  meta: MessageMeta,
): Promise<void> {
  let event: z.output<Schema>;
  try {
    event = parseMessage(schema, meta.source.value);
  } catch (error) {
    if (!unreadable) throw error;
    return unreadable(meta);
  }
  return handle(event, meta);
}

/** What cannot succeed, or has failed too often for a reason that is neither our database nor the outside world. */
function asPermanent(error: unknown, tries: number): PermanentError | undefined {
  if (error instanceof PermanentError) return error;
  const sentence = String(error).split('\n').at(-1);
  if (isUnstorable(error))
    return new PermanentError('UNSTORABLE_MESSAGE', `The database refuses what it says: ${sentence}`);
  if (isOwnFault(error) || error instanceof PassingFault || tries < mostTriesOfABug) return undefined;
  return new PermanentError('HANDLER_FAILED', `It failed ${tries} times: ${sentence}`, error);
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
