/**
 * An operator stops an order. The wish travels as the customer's cancel does: through the outbox to `created-orders`,
 * behind the order, and from there as a message to the process. So it is never half done, and the engine may be away.
 */
import { type AbortRequested, topics } from '@ticket-saga/contract/topics';
import { insertIntoOutbox } from '@ticket-saga/runtime/outbox';
import { Problem } from '@ticket-saga/runtime/problem';
import { insertAudit } from './audit.ts';
import { readOrderState, stateInWords } from './order-state.ts';
import type { OrchestratorParts } from './parts.ts';

/** Asks, and does not do: follow the order. Throws 409 STALE_ACTION when it has ended, or was asked to stop before. */
export async function abortOrder(parts: OrchestratorParts, entry: AbortEntry): Promise<void> {
  const { orderId } = entry;
  const order = await readOrderState(parts, orderId);
  if (order.finished) throw new Problem('STALE_ACTION', stateInWords(order));
  if (await isRefunded(parts, orderId))
    throw new Problem('STALE_ACTION', `The order has ended and is being refunded. ${stateInWords(order)}`);
  const event: AbortRequested = {
    idempotencyKey: `order:${orderId}:abort`,
    type: 'ORDER_ABORT_REQUESTED',
    orderId,
    occurredAt: new Date().toISOString(),
  };
  // The key in the outbox is the compare-and-set: of two operators one is first.
  const [asked] = await parts.db.$queryRaw<{ first: boolean }[]>`
    with told as (${insertIntoOutbox([{ topic: topics.createdOrders, key: orderId, value: event }])} returning 1),
    noted as (${insertAudit({ ...entry, action: 'abort-order', outcome: 'done' })} where exists (select from told))
    select exists (select from told) as first`;
  if (!asked?.first) throw new Problem('STALE_ACTION', `The order was asked to stop before. ${stateInWords(order)}`);
  parts.logger.info('abort requested', { orderId, operator: entry.operator });
}

/**
 * Its undo is under way in a process that knows no abort. A refund that has started none yet (the order is on its way, or
 * stuck) is no hindrance: it waits for the order's end.
 */
async function isRefunded({ db }: OrchestratorParts, orderId: string): Promise<boolean> {
  const rows = await db.$queryRaw<unknown[]>`
    select 1 from refund_order where order_id = ${orderId}::uuid and state in ('RUNNING', 'FAILED')
      and process_instance_key is not null limit 1`;
  return rows.length > 0;
}

export type AbortEntry = { operator: string; reason: string; orderId: string };
