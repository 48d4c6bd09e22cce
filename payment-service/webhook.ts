/** The provider's webhook: who calls is known by the signature, what it says is booked once. */
import { crashPoint } from '@ticket-saga/runtime/crash-points';
import { Problem } from '@ticket-saga/runtime/problem';
import { z } from 'zod';
import type { ChangeParts } from './change.ts';
import { type Booked, bookDecision } from './decisions.ts';
import { readById } from './payment-row.ts';
import { verifyWebhook } from './signature.ts';

const common = {
  id: z
    .string()
    .regex(/^[\x21-\x7e]{1,200}$/, 'must be 1 to 200 printable ASCII characters')
    .describe('of the event; its repeats carry the same'),
  reference: z.uuid().describe('the payment id'),
  occurredAt: z.iso.datetime({ offset: true }),
};
export const webhookEvent = z
  .discriminatedUnion('type', [
    z.object({
      ...common,
      type: z.literal('payment.approved'),
      amount: z.int().min(0).describe('minor units'),
      currency: z.string().regex(/^[A-Za-z]{1,10}$/, 'must be a code of letters'),
    }),
    z.object({ ...common, type: z.literal('payment.declined'), reason: z.string().max(500).optional() }),
  ])
  .meta({ id: 'WebhookEvent' });
export type WebhookEvent = z.infer<typeof webhookEvent>;

export const webhookPath = '/webhooks/payments';

/** Throws the `Problem` that refuses a call whose signature is wrong or old. */
export function checkSignature(secret: string, header: string | undefined, body: Buffer, now: Date): void {
  const verdict = verifyWebhook(secret, header, body, now);
  if (verdict === 'INVALID_SIGNATURE')
    throw new Problem(verdict, 'The header Webhook-Signature does not fit the body.');
  if (verdict === 'STALE_SIGNATURE') throw new Problem(verdict, 'The call was signed more than five minutes ago.');
}

/** Books the event. A payment that is not known yet is a `Problem` 503: the provider comes again. */
export async function hear(parts: ChangeParts, event: WebhookEvent, body: Buffer): Promise<Booked> {
  const payment = await readById(parts.db, event.reference);
  if (!payment) {
    throw new Problem('NOT_KNOWN_YET', `The payment ${event.reference} is not known yet.`, undefined, {
      'Retry-After': '1',
    });
  }
  await crashPoint('webhook.before', payment.orderId);
  const booked = await bookDecision(parts, payment, {
    source: 'provider',
    raw: { topic: 'webhook', key: payment.orderId, value: body },
    heard: { eventId: event.id, type: event.type },
    ...(event.type === 'payment.approved'
      ? { verdict: 'APPROVED', amount: event.amount, currency: event.currency }
      : { verdict: 'DECLINED', reason: event.reason ?? 'declined' }),
  });
  await crashPoint('webhook.before-answer', payment.orderId);
  return booked;
}
