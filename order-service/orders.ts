/**
 * How an order ends. Each end is a compare-and-set on the order's row, so that it ends once; each may run twice, and
 * after the order moved on, and then answers what is true (ARCHITECTURE 5, decision 5 of the order process).
 */
import { type ReasonCode, reasons } from '@ticket-saga/contract/errors';
import { type HistoryState, isFinal, type OrderStatus } from '@ticket-saga/contract/states';
import { type StepMoved, stepMoved } from '@ticket-saga/contract/topics';
import { type Db, sql } from '@ticket-saga/runtime/database';
import { BusinessError } from '@ticket-saga/runtime/errors';
import type { Context } from '@ticket-saga/runtime/job';
import type { OutboxEvent } from '@ticket-saga/runtime/outbox';
import { insertStep, onTheWay } from './steps.ts';
import { giveTickets } from './ticket-codes.ts';

type Sql = ReturnType<typeof sql.sql>;
export type Before = {
  status: OrderStatus;
  cancelRequested: boolean;
  stopped: boolean;
  reasonCode: ReasonCode | null;
  /** The process instance that reinstated it: late money paid for it after it had ended. */
  reinstatedBy: string | null;
  /** The process instance that refunds it, or has: nothing else ends it any more. */
  refundBy: string | null;
};
type Why = { reasonCode: ReasonCode; reasonMessage?: string | null | undefined };

/** Open for the ends of the saga. An order that is being refunded is on the way again, but has left the saga behind. */
const open = sql.sql`${onTheWay} and p.refund_by is null`;

/** CONFIRMED, with one ticket code for each unit; BPMN error ORDER_STOPPED where the order must not be completed. */
export async function completeOrder(db: Db, { orderId }: { orderId: string }, context: Context): Promise<void> {
  const before = await changeOrder(db, context, {
    orderId,
    when: sql.sql`${open} and p.stopped_at is null and p.cancel_requested_at is null`,
    set: sql.sql`status = 'CONFIRMED', completed_at = now()`,
    history: 'ORDER_CONFIRMED',
    succeeds: sql.sql`before.status = 'CONFIRMED' or before.refund_by is not null`,
    failure: context.failed('ORDER_STOPPED', 'The order was stopped before it could be completed.'),
    more: giveTickets,
  });
  if (before.changed) context.logger.info('order confirmed', { orderId });
  if (before.changed || before.status === 'CONFIRMED' || before.refundBy !== null) return;
  const reasonCode = stoppedBecause(before);
  throw new BusinessError('ORDER_STOPPED', undefined, { reasonCode, reasonMessage: reasons[reasonCode] });
}

function stoppedBecause(before: Before): ReasonCode {
  if (before.reasonCode) return before.reasonCode;
  return before.stopped ? 'ABORTED_BY_OPERATOR' : 'CANCELLED_BY_CUSTOMER';
}

/** REJECTED: nothing was held or charged. An order that ended already, or is being stopped, stays as it is. */
export async function rejectOrder(db: Db, input: { orderId: string } & Why, context: Context): Promise<void> {
  await endOrder(db, input, context, {
    status: 'REJECTED',
    history: 'ORDER_REJECTED',
    when: sql.sql`${open} and p.stopped_at is null`,
  });
}

/** The end of every undo: CANCELLED or PAYMENT_NOT_COMPLETED, by the reason; and REFUNDED, the end of a refund. */
export async function closeOrder(db: Db, input: { orderId: string } & Why, context: Context): Promise<void> {
  if (input.reasonCode === 'REFUNDED_BY_OPERATOR') return endRefund(db, input, context);
  const cancelled = input.reasonCode === 'CANCELLED_BY_CUSTOMER' || input.reasonCode === 'ABORTED_BY_OPERATOR';
  const status = cancelled ? 'CANCELLED' : 'PAYMENT_NOT_COMPLETED';
  await endOrder(db, input, context, { status, history: 'ORDER_CLOSED', when: open });
}

async function endOrder(
  db: Db,
  { orderId, reasonCode, reasonMessage }: { orderId: string } & Why,
  context: Context,
  end: { status: OrderStatus; history: HistoryState; when: Sql },
): Promise<void> {
  const { changed } = await changeOrder(db, context, {
    orderId,
    when: end.when,
    set: sql.sql`status = ${end.status}, completed_at = now(), reason_code = ${reasonCode},
      reason_message = ${reasonMessage ?? reasons[reasonCode]}`,
    history: end.history,
    tooLate: end.history !== 'ORDER_REFUNDED' && end.status !== 'CANCELLED',
    succeeds: sql.sql`true`,
  });
  if (changed) context.logger.info('order ended', { orderId, status: end.status, reasonCode });
}

/** REFUNDED: the money is on its way back and the tickets are free. Only an order whose refund has begun. */
async function endRefund(db: Db, input: { orderId: string } & Why, context: Context): Promise<void> {
  const when = sql.sql`${onTheWay} and p.refund_by is not null`;
  await endOrder(db, input, context, { status: 'REFUNDED', history: 'ORDER_REFUNDED', when });
}

/** COMPENSATING by an operator's decision; from here on nothing completes the order. BPMN error ORDER_ALREADY_FINAL. */
export async function stopOrder(db: Db, { orderId }: { orderId: string }, context: Context): Promise<void> {
  const before = await changeOrder(db, context, {
    orderId,
    when: sql.sql`${open} and p.stopped_at is null`,
    set: sql.sql`status = 'COMPENSATING', stopped_at = now()`,
    succeeds: sql.sql`before.stopped and before.completed_at is null and before.refund_by is null`,
    failure: context.failed('ORDER_ALREADY_FINAL', 'The order has already ended.'),
  });
  if (before.changed) context.logger.info('order stopped', { orderId });
  if (isFinal(before.status) || before.refundBy !== null) throw new BusinessError('ORDER_ALREADY_FINAL');
}

export type Change = {
  orderId: string;
  /** The compare and the set, on `purchase p`. */
  when: Sql;
  set: Sql;
  history?: HistoryState;
  /** Notes a cancel request that came to nothing. */
  tooLate?: boolean;
  /** When the change was not made: whether the step is done all the same; a condition on `before`, unknown is no. */
  succeeds: Sql;
  failure?: OutboxEvent;
  more?: Sql;
};

/**
 * One statement: lock, compare, set, history, and the step's outcome straight into the timeline. Returns how the order
 * stood before. An order that is not there is a bug.
 */
export async function changeOrder(db: Db, context: Context, change: Change): Promise<Before & { changed: boolean }> {
  const done = stepOf(context.completed());
  const { orderId, history = null, tooLate = false, failure, more = sql.empty } = change;
  const failed = failure
    ? sql.sql`, failed as (${insertStep(stepOf(failure), sql.sql`not exists (select from changed) and exists (select from before where (${change.succeeds}) is not true)`)})`
    : sql.empty;
  const [before] = await db.$queryRaw<(Before & { changed: boolean })[]>`
    with before as (
      select p.id, p.status, p.cancel_requested_at is not null as cancelled, p.stopped_at is not null as stopped, p.completed_at,
        p.reason_code, p.reinstated_by, p.refund_by, (${change.when}) as open
      from purchase p where p.id = ${orderId}::uuid for no key update
    ), changed as (
      update purchase p set ${change.set} from before where p.id = before.id and before.open
      returning p.id, p.items
    ), noted as (
      insert into history (order_id, state, idempotency_key, at)
      select changed.id, state, ${done.idempotencyKey}, now()
      from changed, before, unnest(array[${history}::text, case when ${tooLate}::boolean and before.cancelled then 'CANCEL_TOO_LATE' end]) as state
      where state is not null
      on conflict (order_id, state, idempotency_key) do nothing
    ), done as (
      ${insertStep(done, sql.sql`(exists (select from changed) or exists (select from before where ${change.succeeds}))`)}
    )${failed}${more}
    select status, cancelled as "cancelRequested", stopped, reason_code as "reasonCode",
      reinstated_by as "reinstatedBy", refund_by as "refundBy", exists (select from changed) as changed
    from before`;
  if (!before) throw new Error(`There is no order ${orderId}.`);
  return before;
}

export const stepOf = (event: OutboxEvent): StepMoved => stepMoved.parse(event.value);
