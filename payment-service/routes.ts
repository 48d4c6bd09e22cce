/** HTTP of payment-service: the provider's webhook, and a look at a payment for operators. */
import { paymentState } from '@ticket-saga/contract/states';
import type { Api } from '@ticket-saga/runtime/api';
import { rawBody } from '@ticket-saga/runtime/http';
import { Problem } from '@ticket-saga/runtime/problem';
import { z } from 'zod';
import type { ChangeParts } from './change.ts';
import { type Payment, readByOrder } from './payment-row.ts';
import { republish } from './republish.ts';
import { hear, webhookEvent, webhookPath } from './webhook.ts';

const payment = z
  .object({
    id: z.uuid(),
    orderId: z.uuid(),
    state: paymentState,
    amount: z.number(),
    currency: z.string(),
    source: z.enum(['provider', 'manual']).describe('who decided'),
    accepted: z.boolean().describe('the provider has taken the request'),
    providerReference: z.string().nullable(),
    declineReason: z.string().nullable(),
    payBy: z.iso.datetime().nullable(),
    createdAt: z.iso.datetime(),
    updatedAt: z.iso.datetime(),
  })
  .meta({ id: 'Payment' });

export function addRoutes(api: Api, parts: ChangeParts & { webhookSecret: string }): void {
  api.route({
    method: 'post',
    path: webhookPath,
    summary: 'The payment provider tells what it decided',
    description: 'Repeats change nothing. 503 NOT_KNOWN_YET: come again. Old or forged calls: 401.',
    access: 'public',
    // The provider calls for all customers from one address, and what is not signed never gets here.
    limited: false,
    requestHeaders: z.object({
      'webhook-signature': z.string().describe('t=<unix seconds>,v1=<hex HMAC-SHA256 of "<t>.<body>">'),
    }),
    body: webhookEvent,
    bodyExamples: {
      'an approval': {
        id: 'b0a18340-5d9a-4e23-9c3e-bd76ca547463',
        type: 'payment.approved',
        reference: '9f813304-c3f0-5636-9ddc-d7e64d7d813b',
        amount: 19_900,
        currency: 'GBP',
        occurredAt: '2026-11-21T17:07:28.268Z',
      },
    },
    answers: { 200: { description: 'Heard', schema: z.object({ result: z.string() }) } },
    async handle({ body, request }) {
      return { status: 200, body: { result: await hear(parts, body, rawBody(request)) } };
    },
  });

  api.route({
    method: 'get',
    path: '/payments/:orderId',
    summary: 'The payment of an order',
    access: 'operator',
    params: z.object({ orderId: z.string() }),
    answers: { 200: { description: 'The payment', schema: payment } },
    async handle({ params }) {
      const orderId = z.uuid().safeParse(params.orderId);
      const found = orderId.success ? await readByOrder(parts.db, orderId.data) : undefined;
      if (!found) throw new Problem('PAYMENT_NOT_FOUND', `No payment belongs to the order ${params.orderId}.`);
      return { status: 200, body: shown(found) };
    },
  });

  api.route({
    method: 'post',
    path: '/payments/:orderId/republish',
    summary: 'Tells the result of a payment once more, by a new event',
    description:
      'For an order that waits although its payment is decided. 409 STALE_ACTION: there is no result to tell.',
    access: 'operator',
    params: z.object({ orderId: z.uuid() }),
    answers: {
      202: { description: 'Written', schema: z.object({ type: z.string(), idempotencyKey: z.string() }) },
    },
    handle: async ({ params: { orderId } }) => ({ status: 202, body: await republish(parts, orderId) }),
  });
}

function shown({
  token: _,
  lateAfter: _late,
  reinstatedBy: _by,
  inTime: _inTime,
  version: _version,
  ...found
}: Payment) {
  return {
    ...found,
    amount: found.amount / 100,
    payBy: found.payBy?.toISOString() ?? null,
    createdAt: found.createdAt.toISOString(),
    updatedAt: found.updatedAt.toISOString(),
  } satisfies z.input<typeof payment>;
}
