/** A customer's wish to cancel: recorded on the order's row, and told to its process by the topic of the order itself. */
import type { OrderStatus } from '@ticket-saga/contract/states';
import { type CancelRequested, topics } from '@ticket-saga/contract/topics';
import { type Db, sql } from '@ticket-saga/runtime/database';
import type { Logger } from '@ticket-saga/runtime/logger';
import { insertIntoOutbox } from '@ticket-saga/runtime/outbox';
import { Problem } from '@ticket-saga/runtime/problem';

type Found = { status: OrderStatus; requested: boolean; earlier: boolean };

/**
 * Asks, and does not do: the process decides. A repeat changes nothing. Throws 404 ORDER_NOT_FOUND, and
 * 409 ORDER_NOT_CANCELLABLE once the order is paid, undone or final.
 */
export async function requestCancel(
  parts: { db: Db; logger: Logger },
  id: string,
  onlyOf: string | null,
): Promise<void> {
  const event: CancelRequested = {
    idempotencyKey: `order:${id}:cancel`,
    type: 'ORDER_CANCEL_REQUESTED',
    orderId: id,
    occurredAt: new Date().toISOString(),
  };
  const told = insertIntoOutbox(
    [{ topic: topics.createdOrders, key: id, value: event }],
    sql.sql`exists (select from requested)`,
  );
  const [found] = await parts.db.$queryRaw<Found[]>`
    with before as (
      select p.id, p.status, p.cancel_requested_at is not null as earlier,
        p.status in ('PENDING', 'AWAITING_PAYMENT') and p.payment_state is distinct from 'APPROVED' and p.cancel_requested_at is null as open
      from purchase p where p.id = ${id}::uuid and (${onlyOf}::text is null or p.customer_id = ${onlyOf}) for no key update
    ), requested as (
      update purchase p set cancel_requested_at = now() from before where p.id = before.id and before.open returning p.id
    ), noted as (
      insert into history (order_id, state, idempotency_key, at)
      select id, 'CANCEL_REQUESTED', ${event.idempotencyKey}, now() from requested
    ), told as (
      ${told}
    )
    select status, earlier, exists (select from requested) as requested from before`;
  if (!found) throw new Problem('ORDER_NOT_FOUND', `There is no order ${id}.`);
  if (found.requested) parts.logger.info('cancel requested', { orderId: id });
  const asked = found.requested || (found.earlier && !keptInSpiteOfCancel.has(found.status));
  if (!asked)
    throw new Problem(
      'ORDER_NOT_CANCELLABLE',
      `The order is ${found.status}${found.status === 'PENDING' || found.status === 'AWAITING_PAYMENT' ? ' and paid' : ''}: it can no longer be cancelled.`,
    );
}

const keptInSpiteOfCancel = new Set<OrderStatus>(['CONFIRMED', 'REJECTED', 'PAYMENT_NOT_COMPLETED', 'REFUNDED']);
