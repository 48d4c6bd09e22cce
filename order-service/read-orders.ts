/** Reads orders with all that is shown of them, in one statement. */
import type { HistoryState, OrderStatus, PaymentState } from '@ticket-saga/contract/states';
import { type Db, sql } from '@ticket-saga/runtime/database';
import type { StepEvent } from './runs.ts';

/** Money in minor units. */
export type StoredItem = { productId: string; name: string; quantity: number; unitPrice: number; seenPrice?: number };

export type OrderRow = {
  id: string;
  customerId: string;
  items: StoredItem[];
  totalPrice: number;
  currency: string;
  status: OrderStatus;
  reasonCode: string | null;
  reasonMessage: string | null;
  payBy: Date | null;
  paymentState: PaymentState | null;
  version: number;
  createdAt: Date;
  updatedAt: Date;
  completedAt: Date | null;
  /** `at` as PostgreSQL writes it into JSON: ISO 8601 with an offset. */
  events: StepEvent[];
  history: { state: HistoryState; at: string }[];
  tickets: { code: string; productId: string }[];
};

/** The order's own columns, from `purchase p`. */
export const purchaseColumns = sql.sql`p.id::text as id, p.customer_id as "customerId", p.items, p.total_price as "totalPrice",
  p.currency, p.status, p.reason_code as "reasonCode", p.reason_message as "reasonMessage", p.pay_by as "payBy",
  p.payment_state as "paymentState", p.version, p.created_at as "createdAt", p.updated_at as "updatedAt",
  p.completed_at as "completedAt"`;

const everything = sql.sql`${purchaseColumns},
  (select coalesce(jsonb_agg(jsonb_build_object('processInstanceKey', s.process_instance_key, 'elementId', s.element_id,
      'elementInstanceKey', split_part(s.idempotency_key, ':', 4),
      'stage', s.stage, 'state', s.state, 'attempt', s.attempt, 'undo', s.undo, 'at', s.at, 'error',
      case when s.error_code is not null then jsonb_build_object('code', s.error_code, 'message', s.error_message) end)
      order by s.at), '[]') from step_event s where s.order_id = p.id) as events,
  (select coalesce(jsonb_agg(jsonb_build_object('state', h.state, 'at', h.at) order by h.at, h.id), '[]')
    from history h where h.order_id = p.id) as history,
  (select coalesce(jsonb_agg(jsonb_build_object('code', t.code, 'productId', t.product_id) order by t.product_id, t.unit), '[]')
    from ticket t where t.order_id = p.id and p.status = 'CONFIRMED') as tickets`;

const uuidShape = /^[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}$/i;

/**
 * @param id anything: what is no UUID names no order
 * @param onlyOf when not null, an order of another customer is not found
 */
export async function readOrder(db: Db, id: string, onlyOf: string | null = null): Promise<OrderRow | undefined> {
  if (!uuidShape.test(id)) return undefined;
  const rows = await db.$queryRaw<OrderRow[]>`
    select ${everything} from purchase p
    where p.id = ${id}::uuid and (${onlyOf}::text is null or p.customer_id = ${onlyOf})`;
  return rows[0];
}

export type OrderFilter = {
  customerId?: string | undefined;
  status?: OrderStatus | undefined;
  /** Orders that hold this product. There is no index for it: a look through all of the status. */
  productId?: string | undefined;
  limit: number;
  /** Id of the last order of the page before. */
  cursor?: string | undefined;
};

/** A page of orders, newest first (ids of version 7 grow with time), and the cursor of the next page if there is one. */
export async function listOrders(
  db: Db,
  { customerId, status, productId, limit, cursor }: OrderFilter,
): Promise<{ rows: OrderRow[]; nextCursor: string | null }> {
  const conditions = [
    sql.sql`true`,
    ...(customerId === undefined ? [] : [sql.sql`p.customer_id = ${customerId}`]),
    ...(status === undefined ? [] : [sql.sql`p.status = ${status}`]),
    ...(productId === undefined ? [] : [sql.sql`p.items @> ${JSON.stringify([{ productId }])}::jsonb`]),
    ...(cursor === undefined ? [] : [sql.sql`p.id < ${cursor}::uuid`]),
  ];
  const rows = await db.$queryRaw<OrderRow[]>`
    select ${everything} from purchase p where ${sql.join(conditions, ' and ')} order by p.id desc limit ${limit + 1}`;
  const page = rows.slice(0, limit);
  return { rows: page, nextCursor: rows.length > limit ? (page.at(-1)?.id ?? null) : null };
}
