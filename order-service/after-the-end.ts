/**
 * What can still happen to an order that has ended: late money reinstates it or goes back (`late-payment`), and an
 * operator refunds it (`refund-order`). Each is one process instance's doing, however many run for the same order: the
 * row keeps whose, so that a repeat hears the same answer and another instance is refused.
 */
import { bpmnErrors } from '@ticket-saga/contract/errors';
import { type jobs, lateReservation } from '@ticket-saga/contract/jobs';
import { isFinal, type OrderStatus } from '@ticket-saga/contract/states';
import { orderItem } from '@ticket-saga/contract/topics';
import { type Db, sql } from '@ticket-saga/runtime/database';
import { BusinessError } from '@ticket-saga/runtime/errors';
import type { Context } from '@ticket-saga/runtime/job';
import { z } from 'zod';
import { changeOrder, stepOf } from './orders.ts';
import { insertStep } from './steps.ts';
import { giveTickets } from './ticket-codes.ts';

type Facts = z.input<typeof jobs.checkLatePayment.output>;
type Found = { status: OrderStatus; cancelRequested: boolean; endedSeconds: number; items: unknown };

/** How the order ended, and how long ago; an order that nobody knows has ended. The diagram decides what follows. */
export async function checkLatePayment(db: Db, { orderId }: { orderId: string }, context: Context): Promise<Facts> {
  const [found] = await db.$queryRaw<Found[]>`
    with told as (${insertStep(stepOf(context.completed()))})
    select status, cancel_requested_at is not null as "cancelRequested", items,
      coalesce(floor(extract(epoch from now() - completed_at)), 0)::int as "endedSeconds"
    from purchase where id = ${orderId}::uuid`;
  if (!found) return { orderEnded: true, orderStatus: 'UNKNOWN', cancelRequested: false, endedAgo: 'PT0S', items: [] };
  const { status, cancelRequested, endedSeconds } = found;
  const orderEnded = isFinal(status);
  context.logger.info('late payment: order checked', { orderId, status, endedSeconds });
  const endedAgo = `PT${Math.max(0, endedSeconds)}S`;
  return { orderEnded, orderStatus: status, cancelRequested, endedAgo, items: z.array(orderItem).parse(found.items) };
}

/**
 * CONFIRMED after all, with tickets. BPMN error ORDER_NOT_REINSTATABLE unless it ended as not paid, and neither its
 * customer nor an operator had wanted its end.
 */
export async function reinstateOrder(db: Db, { orderId }: { orderId: string }, context: Context): Promise<void> {
  const by = context.processInstanceKey;
  const before = await changeOrder(db, context, {
    orderId,
    when: sql.sql`p.status = 'PAYMENT_NOT_COMPLETED' and p.cancel_requested_at is null and p.stopped_at is null`,
    set: sql.sql`status = 'CONFIRMED', reason_code = null, reason_message = null, completed_at = now(), reinstated_by = ${by}`,
    history: 'ORDER_REINSTATED',
    succeeds: sql.sql`before.reinstated_by = ${by}`,
    failure: context.failed('ORDER_NOT_REINSTATABLE', bpmnErrors.ORDER_NOT_REINSTATABLE),
    more: giveTickets,
  });
  if (before.changed) context.logger.info('order reinstated', { orderId });
  else if (before.reinstatedBy !== by) throw new BusinessError('ORDER_NOT_REINSTATABLE');
}

/** The order shows that its late money went back; its status and reason stay. */
export async function noteRefund(db: Db, { orderId }: { orderId: string }, context: Context): Promise<void> {
  const done = stepOf(context.completed());
  await db.$executeRaw`
    with told as (${insertStep(done)} returning order_id)
    update purchase set payment_state = 'REFUNDED', payment_state_at = now()
    where id = ${orderId}::uuid and payment_state is distinct from 'REFUNDED'`;
}

/**
 * CONFIRMED → COMPENSATING, for this process instance alone. BPMN error ORDER_NOT_REFUNDABLE otherwise.
 * @returns the reservation under which its tickets were sold
 */
export async function startRefund(
  db: Db,
  { orderId }: { orderId: string },
  context: Context,
): Promise<{ reservationId: string }> {
  const by = context.processInstanceKey;
  const before = await changeOrder(db, context, {
    orderId,
    when: sql.sql`p.status = 'CONFIRMED'`,
    set: sql.sql`status = 'COMPENSATING', completed_at = null, refund_by = ${by}`,
    succeeds: sql.sql`before.refund_by = ${by}`,
    failure: context.failed('ORDER_NOT_REFUNDABLE', bpmnErrors.ORDER_NOT_REFUNDABLE),
  });
  if (before.changed) context.logger.info('refund started', { orderId });
  else if (before.refundBy !== by) throw new BusinessError('ORDER_NOT_REFUNDABLE');
  return { reservationId: before.reinstatedBy === null ? orderId : lateReservation(orderId) };
}
