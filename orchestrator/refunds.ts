/** Refunds that operators asked for: of one confirmed order, or of all of a product because the event is called off. */
import { type Db, sql } from '@ticket-saga/runtime/database';
import { Problem } from '@ticket-saga/runtime/problem';
import { v7 as uuidV7 } from 'uuid';
import { z } from 'zod';
import { insertAudit } from './audit.ts';
import { readOrderState, stateInWords } from './order-state.ts';
import type { OrchestratorParts } from './parts.ts';

export type RefundWish = { operator: string; reason: string } & ({ orderId: string } | { productId: string });

/** Orders of a product are written down in this order: one that is confirmed meanwhile is met again. */
export const collected = ['PENDING', 'AWAITING_PAYMENT', 'CONFIRMED'] as const;

/**
 * Notes the wish, with its entry in the audit trail; the runner does the rest. Returns the refund's id.
 * @throws Problem 404 for an unknown order or product, 409 ORDER_NOT_REFUNDABLE for an order that is not confirmed
 */
export async function requestRefund(
  parts: Pick<OrchestratorParts, 'db' | 'services'>,
  wish: RefundWish,
): Promise<string> {
  const id = uuidV7();
  const { operator, reason } = wish;
  if ('orderId' in wish) {
    const order = await readOrderState(parts, wish.orderId);
    if (order.status !== 'CONFIRMED') throw new Problem('ORDER_NOT_REFUNDABLE', stateInWords(order));
    await parts.db.$executeRaw`
      with wish as (
        insert into refund (id, order_id, operator, reason, state)
        values (${id}::uuid, ${wish.orderId}::uuid, ${operator}, ${reason}, 'RUNNING')
      ), noted as (${insertAudit({ ...wish, action: 'refund-order', outcome: 'done', details: { refundId: id } })})
      insert into refund_order (refund_id, order_id) values (${id}::uuid, ${wish.orderId}::uuid)`;
    return id;
  }
  const { productId } = wish;
  const product = await parts.services.find('inventory', `/products/${encodeURIComponent(productId)}`, z.unknown());
  if (product === undefined) throw new Problem('PRODUCT_NOT_FOUND', `There is no product ${productId}.`);
  const details = { refundId: id, productId };
  await parts.db.$executeRaw`
    with noted as (${insertAudit({ operator, reason, action: 'refund-product', outcome: 'done', details })})
    insert into refund (id, product_id, operator, reason, state, collect_status)
    values (${id}::uuid, ${productId}, ${operator}, ${reason}, 'COLLECTING', ${collected[0]})`;
  return id;
}

/** The refund, not done yet, that will see to the order. */
export async function openRefundOf(db: Db, orderId: string): Promise<string | undefined> {
  const [open] = await db.$queryRaw<{ id: string }[]>`
    select refund_id::text as id from refund_order
    where order_id = ${orderId}::uuid and state in ('WAITING', 'RUNNING', 'FAILED') limit 1`;
  return open?.id;
}

export type RefundRow = {
  id: string;
  orderId: string | null;
  productId: string | null;
  operator: string;
  reason: string;
  state: 'COLLECTING' | 'RUNNING' | 'DONE';
  createdAt: Date;
  doneAt: Date | null;
  total: number;
  waiting: number;
  running: number;
  done: number;
  refused: number;
  failed: number;
};

const columns = sql.sql`r.id::text as id, r.order_id::text as "orderId", r.product_id as "productId", r.operator, r.reason,
  r.state, r.created_at as "createdAt", r.done_at as "doneAt", c.*`;
/** Progress is counted, not kept: it cannot be off. */
const counts = sql.sql`(
  select count(*)::int as total, count(*) filter (where o.state = 'WAITING')::int as waiting,
    count(*) filter (where o.state = 'RUNNING')::int as running, count(*) filter (where o.state = 'DONE')::int as done,
    count(*) filter (where o.state = 'REFUSED')::int as refused, count(*) filter (where o.state = 'FAILED')::int as failed
  from refund_order o where o.refund_id = r.id) as c`;

/** A page, newest first. */
export async function listRefunds(
  db: Db,
  { cursor, limit }: { cursor?: string | undefined; limit: number },
): Promise<{ items: RefundRow[]; nextCursor: string | null }> {
  const rows = await db.$queryRaw<RefundRow[]>`
    select ${columns} from refund r cross join lateral ${counts}
    where ${cursor ?? null}::uuid is null or r.id < ${cursor ?? null}::uuid order by r.id desc limit ${limit + 1}`;
  const items = rows.slice(0, limit);
  return { items, nextCursor: rows.length > limit ? (items.at(-1)?.id ?? null) : null };
}

export type RefundOrderRow = {
  orderId: string;
  state: 'WAITING' | 'RUNNING' | 'FAILED' | 'DONE' | 'REFUSED';
  processInstanceKey: string | null;
  code: string | null;
  message: string | null;
  updatedAt: Date;
};

/** One refund with a page of its orders. `cursor` is the order id of the last one of the page before. */
export async function readRefund(
  db: Db,
  id: string,
  { cursor, limit, state }: { cursor?: string | undefined; limit: number; state?: string | undefined },
): Promise<{ refund: RefundRow; orders: RefundOrderRow[]; nextCursor: string | null }> {
  const [refund] = await db.$queryRaw<RefundRow[]>`
    select ${columns} from refund r cross join lateral ${counts} where r.id = ${id}::uuid`;
  if (!refund) throw new Problem('REFUND_NOT_FOUND', `There is no refund ${id}.`);
  const rows = await db.$queryRaw<RefundOrderRow[]>`
    select order_id::text as "orderId", state, process_instance_key as "processInstanceKey", code, message, updated_at as "updatedAt"
    from refund_order where refund_id = ${id}::uuid and (${state ?? null}::text is null or state = ${state ?? null})
      and (${cursor ?? null}::uuid is null or order_id > ${cursor ?? null}::uuid)
    order by order_id limit ${limit + 1}`;
  const orders = rows.slice(0, limit);
  return { refund, orders, nextCursor: rows.length > limit ? (orders.at(-1)?.orderId ?? null) : null };
}
