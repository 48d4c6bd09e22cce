import { describe, expect, it } from '@jest/globals';
import { deadLetter } from '../../contract/topics.ts';
import { parseMessage } from '../consumer.ts';
import { deadLetterOf } from '../dead-letters.ts';
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
