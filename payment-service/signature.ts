/** Signatures: the provider's on its webhooks, ours on the payment events. HMAC-SHA256, hex. */
import { createHmac, timingSafeEqual } from 'node:crypto';

/** Older (or younger) than this a webhook is not believed, s: somebody may be playing it again. */
export const toleranceSeconds = 300;

export type WebhookVerdict = 'VALID' | 'INVALID_SIGNATURE' | 'STALE_SIGNATURE';

/**
 * Checks `Webhook-Signature: t=<unix seconds>,v1=<hex HMAC of "<t>.<body>">`. Several `v1` are allowed, as while a
 * secret is being changed; one must fit.
 */
export function verifyWebhook(secret: string, header: string | undefined, body: Buffer, now: Date): WebhookVerdict {
  const parts = (header ?? '').split(',').map((part) => part.trim().split('='));
  const t = parts.find(([name]) => name === 't')?.[1] ?? '';
  if (!/^\d{1,12}$/.test(t)) return 'INVALID_SIGNATURE';
  const expected = createHmac('sha256', secret).update(`${t}.`).update(body).digest('hex');
  const fits = parts.some(([name, value]) => name === 'v1' && same(value ?? '', expected));
  if (!fits) return 'INVALID_SIGNATURE';
  return Math.abs(now.getTime() / 1_000 - Number(t)) > toleranceSeconds ? 'STALE_SIGNATURE' : 'VALID';
}

/** The header `signature` of a record on `payment-event`: over the bytes of its value. */
export function signEvent(secret: string, value: string | Buffer): string {
  return createHmac('sha256', secret).update(value).digest('hex');
}

export function isOurEvent(secret: string, signature: string | undefined, value: Buffer): boolean {
  return signature !== undefined && same(signature, signEvent(secret, value));
}

/** Compares without telling by its time how much was right. */
function same(given: string, expected: string): boolean {
  const [a, b] = [Buffer.from(given), Buffer.from(expected)];
  return a.length === b.length && timingSafeEqual(a, b);
}
