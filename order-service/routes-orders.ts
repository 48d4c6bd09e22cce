/** Routes of orders. */
import { orderStatus } from '@ticket-saga/contract/states';
import { productId } from '@ticket-saga/contract/topics';
import type { Api } from '@ticket-saga/runtime/api';
import { customerName } from '@ticket-saga/runtime/identity';
import { Problem } from '@ticket-saga/runtime/problem';
import { z } from 'zod';
import { onlyOf, orderingCustomer } from './access.ts';
import { requestCancel } from './cancel-order.ts';
import { orderBody, orderBodyExamples } from './order-body.ts';
import { orderView, viewOrder } from './order-view.ts';
import type { OrderParts } from './parts.ts';
import { placeOrder } from './place-order.ts';
import { listOrders, readOrder } from './read-orders.ts';

const limit = z.coerce.number().int().min(1).max(100).default(20);
const idParams = z.object({ id: z.string().meta({ description: 'Id of the order, a UUID' }) });
const idempotencyKey = z
  .string()
  .regex(/^[\x21-\x7e]{1,200}$/, 'must be 1 to 200 printable ASCII characters without blanks');

export function addOrderRoutes(api: Api, parts: OrderParts): void {
  const { db, diagram, settings, orderEvents } = parts;
  const notFound = (id: string) => new Problem('ORDER_NOT_FOUND', `There is no order ${id}.`);
  const body = orderBody(settings.PAYMENT_DEADLINE);

  api.route({
    method: 'post',
    path: '/orders',
    summary: 'Places an order',
    description: 'Answers at once; the order goes on by itself. With an `Idempotency-Key` a repeat is safe.',
    access: 'customer',
    body,
    bodyExamples: orderBodyExamples,
    requestHeaders: z.object({ 'Idempotency-Key': idempotencyKey.optional() }),
    answers: { 202: { description: 'The order is taken', schema: orderView } },
    async handle({ body: request, identity, request: { headers } }) {
      const customerId = orderingCustomer(identity, request.customerId, settings.AUTH_MODE);
      const key = keyOf(headers['idempotency-key']);
      const { order, replayed } = await placeOrder(parts, customerId, request, key);
      return {
        status: 202,
        body: viewOrder(order, diagram),
        headers: { Location: `/orders/${order.id}`, ...(replayed ? { 'Idempotency-Replayed': 'true' } : {}) },
      };
    },
  });

  api.route({
    method: 'get',
    path: '/orders/:id',
    summary: 'An order with its steps and its history',
    access: 'customer',
    params: idParams,
    answers: { 200: { description: 'The order as it is now', schema: orderView } },
    async handle({ params: { id }, identity }) {
      const order = await readOrder(db, id, onlyOf(identity, settings.AUTH_MODE));
      if (!order) throw notFound(id);
      return { status: 200, body: viewOrder(order, diagram) };
    },
  });

  api.route({
    method: 'get',
    path: '/orders',
    summary: 'Orders, newest first',
    access: 'customer',
    query: z.object({
      customerId: customerName.optional(),
      status: orderStatus.optional(),
      productId: productId.optional(),
      limit,
      cursor: z.uuid().optional().meta({ description: '`nextCursor` of the page before' }),
    }),
    answers: {
      200: {
        description: 'A page of orders',
        schema: z.object({ items: z.array(orderView), nextCursor: z.string().nullable() }),
      },
    },
    async handle({ query, identity }) {
      const own = onlyOf(identity, settings.AUTH_MODE);
      if (own !== null && query.customerId !== undefined && query.customerId !== own) {
        throw new Problem('CUSTOMER_NOT_FOUND', `There is no customer ${query.customerId}.`);
      }
      const { rows, nextCursor } = await listOrders(db, { ...query, customerId: own ?? query.customerId });
      return { status: 200, body: { items: rows.map((row) => viewOrder(row, diagram)), nextCursor } };
    },
  });

  api.route({
    method: 'post',
    path: '/orders/:id/cancel',
    summary: 'Asks to cancel an order that is not paid yet',
    description: '202 means asked, not done: follow the order to see how it ends. A repeat gives 202 again.',
    access: 'customer',
    params: idParams,
    answers: { 202: { description: 'Asked', schema: orderView } },
    async handle({ params: { id }, identity }) {
      const own = onlyOf(identity, settings.AUTH_MODE);
      if (!(await readOrder(db, id, own))) throw notFound(id);
      await requestCancel(parts, id, own);
      const order = await readOrder(db, id, own);
      if (!order) throw notFound(id);
      return { status: 202, body: viewOrder(order, diagram) };
    },
  });

  api.route({
    method: 'get',
    path: '/orders/:id/events',
    summary: 'Live events of an order',
    description:
      'Server-sent events: the order as it is, then again after each change, until it ends. `Last-Event-ID` is the ' +
      '`version` that the client has. 204 when the order has ended and the client knows it.',
    access: 'customer',
    params: idParams,
    requestHeaders: z.object({ 'Last-Event-ID': z.string().optional() }),
    answers: {
      200: { description: 'Events whose data is the order', schema: orderView, contentType: 'text/event-stream' },
      204: { description: 'Nothing will come any more' },
    },
    async handle({ params: { id }, identity, request, response }) {
      const order = await readOrder(db, id, onlyOf(identity, settings.AUTH_MODE));
      if (!order) throw notFound(id);
      const seen = versionOf(request.get('Last-Event-ID'), order.version);
      // A browser's EventSource comes back for ever unless it is told that there is nothing more.
      if (order.completedAt && seen === order.version) return { status: 204 };
      orderEvents.stream(order, seen, response);
    },
  });
}

function keyOf(header: string | string[] | undefined): string | undefined {
  if (header === undefined) return undefined;
  const key = idempotencyKey.safeParse(header);
  if (key.success) return key.data;
  const errors = key.error.issues.map(({ message }) => ({ path: 'Idempotency-Key', message }));
  throw new Problem('INVALID_INPUT', 'The header Idempotency-Key is wrong.', errors);
}

/** What the client has seen of the order; a version that there never was is none. */
function versionOf(header: string | undefined, newest: number): number | undefined {
  const version = header !== undefined && /^\d{1,9}$/.test(header) ? Number(header) : undefined;
  return version !== undefined && version <= newest ? version : undefined;
}
