/** Routes of refunds: an operator asks for them, and sees how far they are. */
import { productId } from '@ticket-saga/contract/topics';
import type { Api } from '@ticket-saga/runtime/api';
import { z } from 'zod';
import { auditRefusal } from './audit.ts';
import type { OrchestratorParts } from './parts.ts';
import { listRefunds, readRefund, type RefundRow, requestRefund } from './refunds.ts';
import { because, operatorName } from './routes-actions.ts';

const progress = z
  .object({
    id: z.uuid(),
    orderId: z.uuid().nullable(),
    productId: z.string().nullable(),
    operator: z.string(),
    reason: z.string(),
    state: z.enum(['COLLECTING', 'RUNNING', 'DONE']).describe('COLLECTING: `total` still grows'),
    total: z.int(),
    waiting: z.int().describe('their turn has not come, or they are still on their way: see `message`'),
    running: z.int(),
    done: z.int(),
    refused: z.int().describe('ended without being confirmed: there is nothing to refund'),
    failed: z.int().describe('a step of theirs is stuck: see `/operations/stuck`'),
    createdAt: z.iso.datetime(),
    doneAt: z.iso.datetime().nullable(),
  })
  .meta({ id: 'Refund' });
const state = z.enum(['WAITING', 'RUNNING', 'FAILED', 'DONE', 'REFUSED']);
const refundedOrder = z.object({
  orderId: z.uuid(),
  state,
  processInstanceKey: z.string().nullable(),
  code: z.string().nullable(),
  message: z.string().nullable(),
  updatedAt: z.iso.datetime(),
});
const paging = {
  cursor: z.uuid().optional().describe('`nextCursor` of the page before'),
  limit: z.coerce.number().int().min(1).max(100).default(20),
};

export function addRefundRoutes(api: Api, parts: OrchestratorParts): void {
  api.route({
    method: 'post',
    path: '/operations/refunds',
    summary: 'Refunds a confirmed order, or all confirmed orders of a product',
    description:
      '202 means asked: follow it by `Location`. 409 ORDER_NOT_REFUNDABLE for an order that is not confirmed. Orders of the product that are still on their way are waited for. An order of several products is refunded whole.',
    access: 'operator',
    body: z.union([because.extend({ orderId: z.uuid() }).strict(), because.extend({ productId }).strict()]),
    bodyExamples: {
      'one order': { orderId: '019a0000-0000-7000-8000-000000000001', reason: 'goodwill' },
      'an event is called off': { productId: '1', reason: 'the singer is ill' },
    },
    answers: { 202: { description: 'Asked', schema: progress } },
    async handle({ body, identity }) {
      const wish = { operator: operatorName(identity), ...body };
      const details = 'productId' in wish ? { productId: wish.productId } : {};
      const action = 'productId' in wish ? 'refund-product' : 'refund-order';
      const id = await auditRefusal(parts.db, { ...wish, action, details }, () => requestRefund(parts, wish));
      const { refund } = await readRefund(parts.db, id, { limit: 1 });
      return { status: 202, body: shown(refund), headers: { Location: `/operations/refunds/${id}` } };
    },
  });

  api.route({
    method: 'get',
    path: '/operations/refunds',
    summary: 'Refunds and how far they are, the newest first',
    access: 'operator',
    query: z.object(paging),
    answers: {
      200: { description: 'A page', schema: z.object({ items: z.array(progress), nextCursor: z.string().nullable() }) },
    },
    async handle({ query }) {
      const { items, nextCursor } = await listRefunds(parts.db, query);
      return { status: 200, body: { items: items.map(shown), nextCursor } };
    },
  });

  api.route({
    method: 'get',
    path: '/operations/refunds/:id',
    summary: 'One refund: how far it is, and a page of its orders',
    access: 'operator',
    params: z.object({ id: z.uuid() }),
    query: z.object({ ...paging, state: state.optional() }),
    answers: {
      200: {
        description: 'The refund',
        schema: progress.extend({ orders: z.array(refundedOrder), nextCursor: z.string().nullable() }),
      },
    },
    async handle({ params: { id }, query }) {
      const { refund, orders, nextCursor } = await readRefund(parts.db, id, query);
      const items = orders.map((order) => ({ ...order, updatedAt: order.updatedAt.toISOString() }));
      return { status: 200, body: { ...shown(refund), orders: items, nextCursor } };
    },
  });
}

function shown({ createdAt, doneAt, ...refund }: RefundRow): z.input<typeof progress> {
  return { ...refund, createdAt: createdAt.toISOString(), doneAt: doneAt?.toISOString() ?? null };
}
