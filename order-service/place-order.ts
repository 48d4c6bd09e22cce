/** Placing an order: one statement writes order, history, idempotency key and the event that starts the process. */
import { type OrderCreated, topics } from '@ticket-saga/contract/topics';
import { type Db, sql } from '@ticket-saga/runtime/database';
import type { Logger } from '@ticket-saga/runtime/logger';
import { insertIntoOutbox } from '@ticket-saga/runtime/outbox';
import { Problem } from '@ticket-saga/runtime/problem';
import { v7 as uuidv7 } from 'uuid';
import { type AskInventory, findProducts } from './catalog.ts';
import type { OrderLine, OrderRequest } from './order-body.ts';
import { type OrderRow, purchaseColumns, readOrder, type StoredItem } from './read-orders.ts';

export type PlaceParts = { db: Db; askInventory: AskInventory; logger: Logger; idempotencyKeepMs: number };

/**
 * Places the order, or finds the one that the customer placed with the same key. Throws 422 UNKNOWN_PRODUCT,
 * 422 IDEMPOTENCY_KEY_REUSED, 503 DEPENDENCY_UNAVAILABLE.
 */
export async function placeOrder(
  parts: PlaceParts,
  customerId: string,
  request: OrderRequest,
  key: string | undefined,
): Promise<{ order: OrderRow; replayed: boolean }> {
  const items = await pricedItems(parts, request.lines);
  const id = uuidv7();
  const order = await insertOrder(parts, { id, customerId, items, request, key });
  if (order) {
    parts.logger.info('order placed', { orderId: id, customerId, totalPrice: order.totalPrice });
    return { order, replayed: false };
  }
  return { order: await earlierOrder(parts.db, customerId, request, key ?? ''), replayed: true };
}

/** The unit price is frozen here and is what will be charged. */
async function pricedItems({ db, askInventory }: PlaceParts, lines: OrderLine[]): Promise<StoredItem[]> {
  const products = await findProducts(
    db,
    askInventory,
    lines.map((line) => line.productId),
  );
  const unknown = lines.filter((line) => !products.has(line.productId));
  if (unknown.length > 0) {
    const names = unknown.map((line) => line.productId).join(', ');
    const errors = unknown.map((line) => ({ path: line.path, message: 'is not sold here' }));
    throw new Problem('UNKNOWN_PRODUCT', `Not sold here: ${names}.`, errors);
  }
  return lines.flatMap(({ productId, quantity, seenPrice }) => {
    const product = products.get(productId);
    if (!product) return [];
    return {
      productId,
      name: product.name,
      quantity,
      unitPrice: product.price,
      ...(seenPrice === undefined ? {} : { seenPrice }),
    };
  });
}

type NewOrder = {
  id: string;
  customerId: string;
  items: StoredItem[];
  request: OrderRequest;
  key: string | undefined;
};

/**
 * Nothing is returned when the customer's key is taken: the insert of the key decides, and waits for an order with the
 * same key that is in flight. A key past its time is taken over.
 */
async function insertOrder(
  { db, idempotencyKeepMs }: PlaceParts,
  { id, customerId, items, request, key }: NewOrder,
): Promise<OrderRow | undefined> {
  const total = items.reduce((sum, item) => sum + item.unitPrice * item.quantity, 0);
  const event: OrderCreated = {
    idempotencyKey: `order:${id}:created`,
    type: 'ORDER_CREATED',
    orderId: id,
    occurredAt: new Date().toISOString(),
    items: items.map(({ name: _name, ...item }) => item),
    ...(request.paymentToken === undefined ? {} : { paymentToken: request.paymentToken }),
    ...(request.paymentDeadline === undefined ? {} : { paymentDeadline: request.paymentDeadline }),
  };
  const told = insertIntoOutbox(
    [{ topic: topics.createdOrders, key: id, value: event }],
    sql.sql`exists (select from placed)`,
  );
  const rows = await db.$queryRaw<Omit<OrderRow, 'events' | 'history' | 'tickets'>[]>`
    with who as (
      insert into customer (id, name) values (${customerId}, ${customerId}) on conflict (id) do nothing
    ), key as (
      insert into idempotency_key as k (customer_id, key, body_hash, order_id)
      select ${customerId}, ${key ?? null}::text, ${request.hash}, ${id}::uuid where ${key ?? null}::text is not null
      on conflict (customer_id, key) do update
        set body_hash = excluded.body_hash, order_id = excluded.order_id, created_at = now()
        where k.created_at < now() - ${idempotencyKeepMs}::float8 * interval '1 millisecond'
      returning order_id
    ), placed as (
      insert into purchase (id, customer_id, items, total_price, currency, payment_token, payment_deadline)
      select ${id}::uuid, ${customerId}, ${JSON.stringify(items)}::jsonb, ${total}::int, 'GBP',
        ${request.paymentToken ?? null}::text, ${request.paymentDeadline ?? null}::text
      where ${key ?? null}::text is null or exists (select from key)
      returning *
    ), noted as (
      insert into history (order_id, state, idempotency_key, at)
      select id, 'ORDER_CREATED', ${event.idempotencyKey}, created_at from placed
    ), told as (
      ${told}
    )
    select ${purchaseColumns} from placed p`;
  const row = rows[0];
  if (!row) return undefined;
  return { ...row, events: [], history: [{ state: 'ORDER_CREATED', at: row.createdAt.toISOString() }], tickets: [] };
}

async function earlierOrder(db: Db, customerId: string, request: OrderRequest, key: string): Promise<OrderRow> {
  const found = await db.$queryRaw<{ orderId: string; bodyHash: string }[]>`
    select order_id::text as "orderId", body_hash as "bodyHash" from idempotency_key
    where customer_id = ${customerId} and key = ${key}`;
  const earlier = found[0];
  if (earlier && earlier.bodyHash !== request.hash) {
    throw new Problem('IDEMPOTENCY_KEY_REUSED', 'An order with this Idempotency-Key was placed with another body.', [
      { path: 'Idempotency-Key', message: 'was used with another body' },
    ]);
  }
  const order = earlier && (await readOrder(db, earlier.orderId));
  // Swept in this very moment: the caller's next try places the order.
  if (!order) throw new Problem('DEPENDENCY_UNAVAILABLE', 'The idempotency key has just expired. Try again.');
  return order;
}
