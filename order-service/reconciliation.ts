/** What the reconciliation reads of orders, and its way to start one again that never reached the engine. */
import { type OrderRow, orderRow } from '@ticket-saga/contract/reconciliation';
import { type OrderCreated, topics } from '@ticket-saga/contract/topics';
import type { Api } from '@ticket-saga/runtime/api';
import { type Db, sql } from '@ticket-saga/runtime/database';
import { Problem } from '@ticket-saga/runtime/problem';
import { addOutboxRoutes, addRowsRoute, pageOf, type RowsQuery } from '@ticket-saga/runtime/reconciliation';
import { z } from 'zod';
import type { OrderParts } from './parts.ts';
import { fitTicketCodes } from './ticket-codes.ts';

export function addReconciliationRoutes(api: Api, { db, relay }: Pick<OrderParts, 'db' | 'relay'>): void {
  addRowsRoute(api, {
    path: '/reconciliation/orders',
    what: 'orders',
    row: orderRow,
    keyOf: ({ id }) => id,
    read: (query) => readOrderRows(db, query),
  });
  addOutboxRoutes(api, db, relay);
  api.route({
    method: 'post',
    path: '/reconciliation/orders/:id/publish',
    summary: 'Publishes the event that starts the order once more',
    description: 'For an order that waits for its process. The same event again starts nothing twice.',
    access: 'operator',
    params: z.object({ id: z.string() }),
    answers: { 200: { description: 'It is in the outbox', schema: z.object({ published: z.boolean() }) } },
    async handle({ params: { id } }) {
      return { status: 200, body: { published: await publishAgain(db, known(id)) } };
    },
  });
  api.route({
    method: 'post',
    path: '/reconciliation/orders/:id/ticket-codes',
    summary: 'Gives the order the ticket codes that it lacks, and takes those away that it should not have',
    description: 'For an order that has ended. Again it changes nothing. 409 STALE_ACTION: it has not ended.',
    access: 'operator',
    params: z.object({ id: z.string() }),
    answers: { 200: { description: 'How many it has now', schema: z.object({ codes: z.int() }) } },
    handle: async ({ params: { id } }) => ({ status: 200, body: { codes: await fitTicketCodes(db, known(id)) } }),
  });
}

/** An id that no order could have is as unknown as any. */
function known(id: string): string {
  if (z.uuid().safeParse(id).success) return id;
  throw new Problem('ORDER_NOT_FOUND', `There is no order ${id}.`);
}

async function readOrderRows(db: Db, query: RowsQuery): Promise<OrderRow[]> {
  return db.$queryRaw<OrderRow[]>`
    select p.id::text as id, p.status, p.total_price as total,
      (select coalesce(string_agg(i."productId" || ':' || i.quantity, ' ' order by i."productId" collate "C"), '')
        from jsonb_to_recordset(p.items) as i("productId" text, quantity int)) as lines,
      (select count(*)::int from ticket t where t.order_id = p.id) as codes,
      p.refund_by as "refundBy",
      extract(epoch from now() - p.updated_at)::float8 as age
    from purchase p
    where ${pageOf(query, { id: sql.sql`p.id`, cursor: sql.sql`${query.cursor ?? null}::uuid` })}
    order by p.id limit ${query.limit}`;
}

type Placed = Pick<OrderCreated, 'items'> & { token: string | null; deadline: string | null; createdAt: Date };

/**
 * Sends ORDER_CREATED again, under the key of the first: a consumer that has it already does nothing. Only while the
 * order is PENDING; false otherwise. The event is made from the order's row, so a damaged one is replaced.
 */
export async function publishAgain(db: Db, id: string): Promise<boolean> {
  const [placed] = await db.$queryRaw<Placed[]>`
    select payment_token as token, payment_deadline as deadline, created_at as "createdAt",
      (select jsonb_agg(item - 'name') from jsonb_array_elements(items) as item) as items
    from purchase where id = ${id}::uuid and status = 'PENDING'`;
  if (!placed) return false;
  const event: OrderCreated = {
    idempotencyKey: `order:${id}:created`,
    type: 'ORDER_CREATED',
    orderId: id,
    occurredAt: placed.createdAt.toISOString(),
    items: placed.items,
    ...(placed.token === null ? {} : { paymentToken: placed.token }),
    ...(placed.deadline === null ? {} : { paymentDeadline: placed.deadline }),
  };
  await db.$executeRaw`
    insert into outbox (idempotency_key, topic, key, value)
    values (${event.idempotencyKey}, ${topics.createdOrders}, ${id}, ${JSON.stringify(event)})
    on conflict (idempotency_key) do update set value = excluded.value, created_at = now(), published_at = null`;
  return true;
}
