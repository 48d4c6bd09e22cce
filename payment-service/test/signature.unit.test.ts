import { describe, expect, test } from '@jest/globals';
import { signWebhook } from '../../provider-simulator/signature.ts';
import { isSigned, sign } from '../../runtime/signature.ts';
import { paymentIdOf } from '../payment-id.ts';
import { verifyWebhook } from '../signature.ts';

const secret = 'a secret';
const body = Buffer.from('{"id":"1","name":"Zoë"}');
const now = new Date('2026-11-21T10:00:00Z');
const secondsBefore = (seconds: number) => new Date(now.getTime() - seconds * 1_000);
const signed = (at = now) => signWebhook(secret, body.toString(), at);

describe('A webhook', () => {
  test('signed by the provider over these bytes is valid', () => {
    expect(verifyWebhook(secret, signed(), body, now)).toBe('VALID');
    expect(verifyWebhook(secret, signed(secondsBefore(299)), body, now)).toBe('VALID');
  });

  test('older, or younger, than five minutes is stale', () => {
    expect(verifyWebhook(secret, signed(secondsBefore(301)), body, now)).toBe('STALE_SIGNATURE');
    expect(verifyWebhook(secret, signed(secondsBefore(-301)), body, now)).toBe('STALE_SIGNATURE');
  });

  test('whose body, time or secret is another is forged', () => {
    expect(verifyWebhook(secret, signed(), Buffer.from('{"id":"2"}'), now)).toBe('INVALID_SIGNATURE');
    expect(verifyWebhook('other', signed(), body, now)).toBe('INVALID_SIGNATURE');
    expect(verifyWebhook(secret, signed().replace(/^t=\d+/, 't=1795255201'), body, now)).toBe('INVALID_SIGNATURE');
  });

  test.each([undefined, '', 't=', 'v1=', 't=x,v1=y', 't=1', `t=${'9'.repeat(400)},v1=a`, ',,=,=', 't=1e3,v1=0'])(
    'with the header %p is forged',
    (header) => {
      expect(verifyWebhook(secret, header, body, now)).toBe('INVALID_SIGNATURE');
    },
  );

  test('may carry a signature under the old secret beside the new', () => {
    const [time, fresh] = signed().split(',');
    expect(verifyWebhook(secret, `${time},v1=${'0'.repeat(64)},${fresh}`, body, now)).toBe('VALID');
  });
});

describe('A payment event', () => {
  test('is ours when its signature is over its bytes', () => {
    const value = JSON.stringify({ type: 'PAYMENT_APPROVED', name: 'Zoë' });
    expect(isSigned(secret, Buffer.from(value), sign(secret, value))).toBe(true);
    expect(isSigned(secret, Buffer.from(value), sign('other', value))).toBe(false);
    expect(isSigned(secret, Buffer.from(value), undefined)).toBe(false);
  });
});

describe('A payment id', () => {
  test('is the same for the same order, however it is written, and another for another', () => {
    const order = '019A0000-ABCD-7000-8000-000000000001';
    expect(paymentIdOf(order)).toBe(paymentIdOf(order.toLowerCase()));
    expect(paymentIdOf(order)).toBe('0fde5d2f-c750-5b42-8ab4-45dc034118f4');
    expect(paymentIdOf('019a0000-0000-7000-8000-000000000002')).not.toBe(paymentIdOf(order));
  });
});
