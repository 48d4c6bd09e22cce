/** The provider's signature on its webhooks. */
import { isSigned } from '@ticket-saga/runtime/signature';

/** Older (or younger) than this a webhook is not believed, s: somebody may be playing it again. */
const toleranceSeconds = 300;

type WebhookVerdict = 'VALID' | 'INVALID_SIGNATURE' | 'STALE_SIGNATURE';

/**
 * Checks `Webhook-Signature: t=<unix seconds>,v1=<hex HMAC-SHA256 of "<t>.<body>">`. Several `v1` are allowed, as while
 * a secret is being changed; one must fit.
 */
export function verifyWebhook(secret: string, header: string | undefined, body: Buffer, now: Date): WebhookVerdict {
  const parts = (header ?? '').split(',').map((part) => part.trim().split('='));
  const t = parts.find(([name]) => name === 't')?.[1] ?? '';
  if (!/^\d{1,12}$/.test(t)) return 'INVALID_SIGNATURE';
  const signed = Buffer.concat([Buffer.from(`${t}.`), body]);
  const fits = parts.some(([name, value]) => name === 'v1' && isSigned(secret, signed, value));
  if (!fits) return 'INVALID_SIGNATURE';
  return Math.abs(now.getTime() / 1_000 - Number(t)) > toleranceSeconds ? 'STALE_SIGNATURE' : 'VALID';
}
