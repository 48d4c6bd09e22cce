/** Routes of operators' actions on orders: what hangs, retry, abort, and the audit trail. */
import type { Api } from '@ticket-saga/runtime/api';
import type { Identity } from '@ticket-saga/runtime/identity';
import { z } from 'zod';
import { abortOrder } from './abort-order.ts';
import { auditRefusal, listAudit, type OperatorAction } from './audit.ts';
import type { OrchestratorParts } from './parts.ts';
import { republishPayment } from './republish-payment.ts';
import { retryAll } from './retry-all.ts';
import { retryStep } from './retry-step.ts';
import { listStuck, stuckView } from './stuck.ts';

/** Why an operator acts, in their words: kept in the audit trail. */
const reason = z
  .string()
  .trim()
  .min(1, 'say why')
  .max(500)
  .refine((text) => !text.includes('\0'), 'must not hold null bytes') // PostgreSQL refuses them
  .describe('kept in the audit trail');
export const because = z.object({ reason });
/** An element id of a diagram, the code of an error, the name of a service: what stands in an address or a log. */
export const word = z.string().regex(/^[\w.:-]{1,200}$/, 'must be a word of letters, digits and . _ : -');
const order = z.object({ id: z.uuid() });
const limit = z.coerce.number().int().min(1).max(100).default(20);

export const operatorName = (identity: Identity) => (identity.kind === 'operator' ? identity.name : 'unknown');

export function addActionRoutes(api: Api, parts: OrchestratorParts): void {
  const refused = <T>(entry: Omit<OperatorAction, 'outcome'>, act: () => Promise<T>) =>
    auditRefusal(parts.db, entry, act);

  api.route({
    method: 'get',
    path: '/operations/stuck',
    summary: 'What hangs: stuck steps and silent orders, the oldest first',
    access: 'operator',
    query: z.object({
      orderId: z.uuid().optional(),
      step: word.optional().describe('element id in the diagram'),
      code: word.optional().describe('code of the error'),
      limit,
      cursor: z.string().max(100).optional().describe('`nextCursor` of the page before'),
    }),
    answers: {
      200: {
        description: 'A page',
        schema: z.object({ items: z.array(stuckView), nextCursor: z.string().nullable() }),
      },
    },
    handle: async ({ query }) => ({ status: 200, body: await listStuck(parts, query) }),
  });

  api.route({
    method: 'post',
    path: '/operations/orders/:id/steps/:elementId/retry',
    summary: 'Begins a stuck step anew',
    description: '409 STALE_ACTION when the step is not stuck any more. The answer is the step as it was.',
    access: 'operator',
    params: order.extend({ elementId: word }),
    body: because.extend({
      elementInstanceKey: word.optional().describe('the run of the step that you saw: another one is left alone'),
    }),
    bodyExamples: { 'the cause is gone': { reason: 'the provider is back' } },
    answers: { 200: { description: 'Begun anew', schema: stuckView } },
    async handle({ params: { id: orderId, elementId }, body, identity }) {
      const entry = { operator: operatorName(identity), orderId, reason: body.reason };
      const details = { elementId };
      const stuck = await refused({ ...entry, action: 'retry-step', details }, () =>
        retryStep(parts, { ...entry, elementId, elementInstanceKey: body.elementInstanceKey }),
      );
      return { status: 200, body: stuck };
    },
  });

  api.route({
    method: 'post',
    path: '/operations/stuck/retry',
    summary: 'Retries all steps that are stuck with one error, one after the other',
    access: 'operator',
    body: because.extend({
      code: word.describe('code of the error'),
      step: word.optional().describe('element id: only this step'),
      limit: z.int().min(1).max(500).default(100).describe('at the most; some 20 a second'),
    }),
    bodyExamples: {
      'one error': { reason: 'the provider is back', code: 'PROVIDER_UNAVAILABLE', limit: 100 },
      'one error at one step': {
        reason: 'the provider is back',
        code: 'PROVIDER_UNAVAILABLE',
        step: 'RequestPayment',
        limit: 100,
      },
    },
    answers: {
      200: {
        description: 'How many were retried, and which were refused',
        schema: z.object({
          retried: z.int(),
          refused: z.array(z.object({ orderId: z.uuid(), step: z.string(), code: z.string(), detail: z.string() })),
          more: z.boolean().describe('there are more: ask again'),
        }),
      },
    },
    handle: async ({ body, identity }) => ({
      status: 200,
      body: await retryAll(parts, { operator: operatorName(identity), ...body }),
    }),
  });

  api.route({
    method: 'post',
    path: '/operations/orders/:id/abort',
    summary: 'Stops an order, wherever it is, and undoes it',
    description: '202 means asked: follow the order. 409 STALE_ACTION when it has ended, or was asked to stop before.',
    access: 'operator',
    params: order,
    body: because,
    bodyExamples: { 'an order of a thief': { reason: 'fraud' } },
    answers: { 202: { description: 'Asked', schema: z.object({ orderId: z.uuid() }) } },
    async handle({ params: { id: orderId }, body, identity }) {
      const entry = { operator: operatorName(identity), orderId, reason: body.reason };
      await refused({ ...entry, action: 'abort-order' }, () => abortOrder(parts, entry));
      return { status: 202, body: { orderId } };
    },
  });

  api.route({
    method: 'post',
    path: '/operations/orders/:id/republish-payment',
    summary: 'Tells the process the result of its payment once more',
    description: 'For an order that waits although its payment is decided. Harmless where the process has moved on.',
    access: 'operator',
    params: order,
    body: because,
    bodyExamples: { 'the process waits in vain': { reason: 'its message expired' } },
    answers: {
      202: { description: 'Told', schema: z.object({ type: z.string(), idempotencyKey: z.string() }) },
    },
    async handle({ params: { id: orderId }, body, identity }) {
      const entry = { operator: operatorName(identity), orderId, reason: body.reason };
      const told = await refused({ ...entry, action: 'republish-payment' }, () => republishPayment(parts, entry));
      return { status: 202, body: told };
    },
  });

  api.route({
    method: 'get',
    path: '/operations/audit',
    summary: 'What operators did, the newest first',
    access: 'operator',
    query: z.object({
      orderId: z.uuid().optional(),
      limit,
      cursor: z
        .string()
        .regex(/^\d{1,18}$/)
        .optional()
        .describe('`nextCursor` of the page before'),
    }),
    answers: {
      200: {
        description: 'A page',
        schema: z.object({
          items: z.array(
            z.object({
              id: z.string(),
              at: z.iso.datetime(),
              operator: z.string(),
              action: z.string(),
              orderId: z.uuid().nullable(),
              reason: z.string(),
              outcome: z.string().describe('done, or the code of the problem that refused it'),
              details: z.record(z.string(), z.unknown()),
            }),
          ),
          nextCursor: z.string().nullable(),
        }),
      },
    },
    handle: async ({ query }) => ({ status: 200, body: await listAudit(parts.db, query) }),
  });
}
