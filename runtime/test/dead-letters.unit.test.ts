import { describe, expect, it } from '@jest/globals';
import { deadLetter } from '../../contract/topics.ts';
import { type ConsumerOptions, handleMessage, parseMessage } from '../message.ts';
import { PassingFault } from '../errors.ts';
import type { OutgoingRecord } from '../kafka.ts';
import { createLogger } from '../logger.ts';
import { createMetrics } from '../metrics.ts';
import { deadLetterOf } from '../dead-letters.ts';
import { sign } from '../signature.ts';
import { z } from 'zod';

const orderId = '0190a8c0-0000-7000-8000-000000000001';
const reason = { code: 'UNREADABLE_MESSAGE', message: 'no' };
const letterOf = (value: Buffer | null, key: string | null = null) =>
  deadLetterOf('orchestrator', { topic: 'created-orders', partition: 2, offset: '7', key, value }, reason);

describe('A dead letter', () => {
  it('fits the contract and keeps the message whole', () => {
    const letter = letterOf(Buffer.from(JSON.stringify({ orderId, more: 'ü' })));
    expect(deadLetter.parse(letter)).toEqual(letter);
    expect(letter).toMatchObject({
      orderId,
      source: { value: `{"orderId":"${orderId}","more":"ü"}`, encoding: 'utf8' },
    });
  });

  it('finds the order in the key when the value cannot be read', () => {
    expect(letterOf(Buffer.from('not json'), orderId).orderId).toBe(orderId);
  });

  it('keeps bytes that are no text as base64', () => {
    const bytes = Buffer.from([0xff, 0xfe, 0x00]);
    const { source } = letterOf(bytes);
    expect(source.encoding).toBe('base64');
    expect(Buffer.from(source.value ?? '', 'base64')).toEqual(bytes);
  });

  it('has one key for one place in a topic, however often it is written', () => {
    expect(letterOf(Buffer.from('a')).idempotencyKey).toBe(letterOf(Buffer.from('a')).idempotencyKey);
  });
});

describe('A message that does not parse', () => {
  it.each([
    ['no JSON', Buffer.from('{')],
    ['no value', null],
    ['another shape', Buffer.from('[]')],
    ['a wrong type', Buffer.from('{"n":"x"}')],
  ])('is refused for good: %s', (_name, value) => {
    expect(() => parseMessage(z.object({ n: z.number() }), value)).toThrow(
      expect.objectContaining({ code: 'UNREADABLE_MESSAGE' }),
    );
  });
});

describe('A message in JWT mode', () => {
  const secret = 'a-secret-of-the-shop';
  /** What was handled, and the codes of the dead letters. */
  const read = async (value: string, signature: string | undefined) => {
    const written: OutgoingRecord[] = [];
    let handled = 0;
    const options = {
      schema: z.object({ n: z.number() }),
      handle: async () => void (handled += 1),
      producer: { send: async (records: OutgoingRecord[]) => void written.push(...records) },
      secret,
      service: 'test',
      logger: createLogger('test', 'silent'),
      metrics: createMetrics('test'),
    } as unknown as ConsumerOptions<z.ZodType>;
    const headers = signature === undefined ? {} : { signature: Buffer.from(signature) };
    const message = { key: null, value: Buffer.from(value), offset: '3', timestamp: '', attributes: 0, headers };
    await handleMessage(options, { topic: 'created-orders', partition: 0 }, message, 1);
    return { handled, dead: written.map(({ value: text }) => deadLetter.parse(JSON.parse(text)).reason.code) };
  };

  it('is believed with the signature of one of our services', async () => {
    expect(await read('{"n":1}', sign(secret, '{"n":1}'))).toEqual({ handled: 1, dead: [] });
  });

  it.each([
    ['without a signature', undefined],
    ['signed with another secret', sign('another-secret', '{"n":1}')],
    ['signed for other bytes', sign(secret, '{"n":2}')],
    ['with a signature that is none', 'yes'],
  ])('%s has no effect and is kept as a dead letter', async (_what, signature) => {
    expect(await read('{"n":1}', signature)).toEqual({ handled: 0, dead: ['NOT_BELIEVED'] });
  });
});

describe('A handler that fails', () => {
  const schema = z.object({ n: z.number() });
  /** The dead letters that were written, or the error with which the message is to be tried again. */
  const handle = async (error: unknown, tries: number) => {
    const written: OutgoingRecord[] = [];
    const options = {
      schema,
      handle: async () => {
        throw error;
      },
      producer: {
        send: async (records: OutgoingRecord[]) => void written.push(...records),
        stop: async () => undefined,
      },
      service: 'test',
      logger: createLogger('test', 'silent'),
      metrics: createMetrics('test'),
    } as unknown as ConsumerOptions<typeof schema>;
    const message = {
      key: Buffer.from('k'),
      value: Buffer.from('{"n":1}'),
      offset: '3',
      timestamp: '',
      attributes: 0,
      headers: {},
    };
    await handleMessage(options, { topic: 'catalog', partition: 0 }, message, tries);
    return written.map(({ value }) => deadLetter.parse(JSON.parse(value)).reason.code);
  };
  const engineAway = Object.assign(new Error('14 UNAVAILABLE'), { code: 14 });
  const databaseAway = Object.assign(new Error('no'), { code: 'ECONNREFUSED' });

  it.each([engineAway, databaseAway, new PassingFault('PROVIDER', 'later')])(
    'because something is away is tried again for as long as it takes: %p',
    async (error) => {
      await expect(handle(error, 1_000)).rejects.toBe(error);
    },
  );

  it('because of a bug is tried some times, then kept, so that it never blocks its partition', async () => {
    const bug = new TypeError('x is not a function');
    await expect(handle(bug, 7)).rejects.toBe(bug);
    expect(await handle(bug, 8)).toEqual(['HANDLER_FAILED']);
  });
});
