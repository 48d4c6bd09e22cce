/** The provider's HTTP face (base `/v1`). Amounts are integer minor units, as with real providers. */
import { setTimeout as delay } from 'node:timers/promises';
import type { Api } from '@ticket-saga/runtime/api';
import type { Db } from '@ticket-saga/runtime/database';
import { Problem } from '@ticket-saga/runtime/problem';
import { z } from 'zod';
import * as books from './books.ts';
import { type Behaviour, behaviourOf } from './tokens.ts';
import { isWaiting } from './webhooks.ts';

const amount = z.int().min(0).max(2_000_000_000).describe('minor units');
const text = (most: number) =>
  z
    .string()
    .min(1)
    .max(most)
    .regex(/^[\x20-\x7e]+$/, 'may hold printable ASCII only');
const reference = text(100);
const request = z
  .object({
    reference,
    amount,
    currency: z.string().regex(/^[A-Z]{3}$/, 'must be a code of three letters'),
    token: text(100).optional(),
    callbackUrl: z.url({ protocol: /^https?$/, normalize: true }).max(500),
  })
  .meta({ id: 'PaymentRequest' });

const payment = z
  .object({
    id: z.uuid(),
    reference: z.string(),
    status: z.enum(['PENDING', 'APPROVED', 'DECLINED', 'VOIDED', 'REFUNDED']),
    amount,
    currency: z.string(),
    approvedAmount: amount.optional(),
    refundedAmount: amount,
    declineReason: z.string().optional(),
    createdAt: z.iso.datetime(),
    updatedAt: z.iso.datetime(),
  })
  .meta({ id: 'ProviderPayment' });
const totals = z.object({
  items: z.array(z.object({ status: z.string(), payments: z.int(), approved: z.int(), refunded: z.int() })),
});

const keyHeader = z.object({ 'idempotency-key': z.string().min(1).max(200).describe('makes a repeat safe') });
const byReference = z.object({ reference: z.string() });
const answers = { 200: { description: 'The payment as it is now', schema: payment } };

export type Parts = { db: Db; approvalLimit: number; wake: () => void };

export function addRoutes(api: Api, { db, approvalLimit, wake }: Parts): void {
  const behaviour = (of: { token?: string | null | undefined; amount: number }): Behaviour =>
    behaviourOf(of.token ?? null, of.amount, approvalLimit);

  api.route({
    method: 'post',
    path: '/v1/payments',
    summary: 'Request a payment; the outcome comes by webhook',
    access: 'operator',
    requestHeaders: keyHeader,
    body: request,
    bodyExamples: {
      'waits for a person': {
        reference: '9f813304-c3f0-5636-9ddc-d7e64d7d813b',
        amount: 19_900,
        currency: 'GBP',
        token: 'tok_manual',
        callbackUrl: 'http://127.0.0.1:8082/webhooks/payments',
      },
    },
    answers: { 202: { description: 'Accepted', schema: payment } },
    async handle({ body, request: http }) {
      const calls = await books.countCall(db, keyOf(http.headers), ['pay', body]);
      const treatment = behaviour(body);
      if (calls <= treatment.unavailableFor) throw unavailable();
      const { token, ...rest } = body;
      const accepted = await books.create(db, { ...rest, ...(token === undefined ? {} : { token }) }, treatment);
      wake();
      if (treatment.webhookFirst) await untilHeard(db, accepted.id);
      return { status: 202, body: shown(accepted) };
    },
  });

  api.route({
    method: 'get',
    path: '/v1/payments',
    summary: 'The books, oldest first',
    access: 'operator',
    query: z.object({ cursor: z.uuid().optional(), limit: z.coerce.number().int().min(1).max(100).default(20) }),
    answers: {
      200: {
        description: 'A page',
        schema: z.object({ items: z.array(payment), nextCursor: z.string().nullable() }),
      },
    },
    async handle({ query: { cursor, limit } }) {
      const found = await books.list(db, cursor, limit + 1);
      const items = found.slice(0, limit);
      const nextCursor = found.length > limit ? (items.at(-1)?.id ?? null) : null;
      return { status: 200, body: { items: items.map(shown), nextCursor } };
    },
  });

  api.route({
    method: 'get',
    path: '/v1/settlement',
    summary: 'The books, in the order of the references: to be held against those of the shop',
    access: 'operator',
    query: z.object({
      cursor: reference.optional(),
      limit: z.coerce.number().int().min(1).max(5_000).default(1_000),
    }),
    answers: {
      200: {
        description: 'A page',
        schema: z.object({ items: z.array(payment), nextCursor: z.string().nullable() }),
      },
    },
    async handle({ query: { cursor, limit } }) {
      const found = await books.listByReference(db, cursor, limit + 1);
      const items = found.slice(0, limit);
      const nextCursor = found.length > limit ? (items.at(-1)?.reference ?? null) : null;
      return { status: 200, body: { items: items.map(shown), nextCursor } };
    },
  });

  api.route({
    method: 'get',
    path: '/v1/totals',
    summary: 'Number and sums of the payments, by status',
    access: 'operator',
    answers: { 200: { description: 'The sums, minor units', schema: totals } },
    handle: async () => ({ status: 200, body: { items: await books.totals(db) } }),
  });

  api.route({
    method: 'get',
    path: '/v1/payments/:reference',
    summary: 'One payment',
    access: 'operator',
    params: byReference,
    answers,
    handle: async ({ params }) => ({ status: 200, body: shown(await books.find(db, known(params.reference))) }),
  });

  api.route({
    method: 'post',
    path: '/v1/payments/:reference/void',
    summary: 'Void a payment; one that is decided stays as it is',
    access: 'operator',
    requestHeaders: keyHeader,
    params: z.object({ reference }),
    answers,
    async handle({ params, request: http }) {
      await books.countCall(db, keyOf(http.headers), ['void', params.reference]);
      const voided = await books.voidPayment(db, params.reference, behaviour);
      wake();
      return { status: 200, body: shown(voided) };
    },
  });

  api.route({
    method: 'post',
    path: '/v1/payments/:reference/refund',
    summary: 'Give an approved payment back, once; any other stays as it is',
    access: 'operator',
    requestHeaders: keyHeader,
    params: byReference,
    answers,
    async handle({ params, request: http }) {
      const calls = await books.countCall(db, keyOf(http.headers), ['refund', params.reference]);
      if (calls <= behaviour(await books.find(db, known(params.reference))).refundUnavailableFor) throw unavailable();
      return { status: 200, body: shown(await books.refund(db, known(params.reference))) };
    },
  });

  api.route({
    method: 'post',
    path: '/v1/payments/:reference/decide',
    summary: 'Decide a payment that waits, as a person does (tok_manual)',
    access: 'operator',
    params: byReference,
    body: z.object({ status: z.enum(['APPROVED', 'DECLINED']), reason: text(200).optional() }),
    bodyExamples: { approved: { status: 'APPROVED' }, declined: { status: 'DECLINED', reason: 'no money' } },
    answers: { 202: { description: 'The webhook is on its way', schema: payment } },
    async handle({ params, body }) {
      const decided = await books.decide(db, known(params.reference), body.status, body.reason);
      wake();
      return { status: 202, body: shown(decided) };
    },
  });
}

function unavailable(): Problem {
  const when = { 'Retry-After': '1' };
  return new Problem('DEPENDENCY_UNAVAILABLE', 'The provider is not available.', undefined, when);
}

function keyOf(headers: Record<string, unknown>): string {
  const parsed = keyHeader.shape['idempotency-key'].safeParse(headers['idempotency-key']);
  if (parsed.success) return parsed.data;
  const message = 'must be sent, 1 to 200 characters';
  throw new Problem('INVALID_INPUT', `Idempotency-Key ${message}`, [{ path: 'Idempotency-Key', message }]);
}

/** A reference that could never have been given is as unknown as any. */
function known(given: string): string {
  if (reference.safeParse(given).success) return given;
  throw new Problem('PAYMENT_NOT_FOUND', 'No payment has this reference.');
}

/** For `tok_early`: the answer waits until the webhook has arrived; not so long that the caller gives up. */
async function untilHeard(db: Db, paymentId: string): Promise<void> {
  for (const end = Date.now() + 3_000; Date.now() < end && (await isWaiting(db, paymentId));) await delay(20);
}

function shown({ token: _, approvedAmount, declineReason, ...rest }: books.ProviderPayment): z.input<typeof payment> {
  return {
    ...rest,
    ...(approvedAmount === null ? {} : { approvedAmount }),
    ...(declineReason === null ? {} : { declineReason }),
    createdAt: rest.createdAt.toISOString(),
    updatedAt: rest.updatedAt.toISOString(),
  };
}
