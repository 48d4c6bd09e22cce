/** What the steps told (`order-steps`): kept as it came, and what follows from it for the order's row. */
import { statusOnTheWay } from '@ticket-saga/contract/states';
import type { OrderStepsEvent, StepMoved } from '@ticket-saga/contract/topics';
import { type Db, sql } from '@ticket-saga/runtime/database';
import { PermanentError } from '@ticket-saga/runtime/errors';

/** The status still moves: an order on the way. */
export const onTheWay = sql.sql`p.status in (${sql.join([...statusOnTheWay])})`;

type Sql = ReturnType<typeof sql.sql>;

/** Inserts the event of a step, once. For use as a CTE; `where` may name a condition on other CTEs. */
export function insertStep(event: StepMoved, where: Sql = sql.sql`true`): Sql {
  return sql.sql`
    insert into step_event (order_id, idempotency_key, process_instance_key, element_id, element_instance_key, stage, state,
      attempt, undo, error_code, error_message, at)
    select p.id, ${event.idempotencyKey}, ${event.processInstanceKey}, ${event.elementId},
      ${event.elementInstanceKey ?? null}, ${event.stage}, ${event.state}, ${event.attempt}::int, ${event.undo ?? []}::text[], ${event.error?.code ?? null}, ${event.error?.message ?? null},
      ${event.occurredAt}::timestamptz
    from purchase p where p.id = ${event.orderId}::uuid and ${where}
    on conflict (order_id, idempotency_key) do nothing`;
}

/**
 * Books the event: timeline, history, state of the payment, and the status on the way, which never moves back. A repeat
 * changes nothing. Throws `PermanentError` UNKNOWN_ORDER: our own events always come after their order exists, but for
 * those of a repair, which tidies up for orders that do not.
 */
export async function noteStep(db: Db, event: OrderStepsEvent): Promise<void> {
  const step = event.type === 'STEP' ? event : undefined;
  const inserted = step ? sql.sql`${insertStep(step)} returning 1` : sql.sql`select 1 where false`;
  const history = event.history ?? [];
  const paymentState = event.payment?.state ?? null;
  const [known] = await db.$queryRaw<{ known: boolean }[]>`
    with step as (${inserted}),
    facts as (
      insert into history (order_id, state, idempotency_key, at)
      select p.id, fact, ${event.idempotencyKey}, ${event.occurredAt}::timestamptz
      from purchase p, unnest(${history}::text[]) as fact where p.id = ${event.orderId}::uuid
      on conflict (order_id, state, idempotency_key) do nothing returning 1
    ),
    news as (
      select p.id, ${paymentState}::text is not null
        and (coalesce(p.payment_state_at, '-infinity') < ${event.occurredAt}::timestamptz
          or (p.payment_state_at = ${event.occurredAt}::timestamptz and p.payment_state <> ${paymentState}::text)) as payment
      from purchase p where p.id = ${event.orderId}::uuid for no key update
    ),
    moved as (
      update purchase p set
        payment_state = case when news.payment then ${paymentState}::text else p.payment_state end,
        payment_state_at = case when news.payment then ${event.occurredAt}::timestamptz else p.payment_state_at end,
        pay_by = coalesce(${step?.payBy ?? null}::timestamptz, p.pay_by),
        status = ${nextStatus(event, step)}
      from news
      where p.id = news.id and (news.payment or exists (select from step) or exists (select from facts))
    )
    select exists (select from news) as known`;
  if (known?.known || (event.type === 'FACT' && event.repair)) return;
  throw new PermanentError('UNKNOWN_ORDER', `There is no order ${event.orderId}.`);
}

/** PENDING → AWAITING_PAYMENT → COMPENSATING; the end comes from the end's own worker. */
function nextStatus(event: OrderStepsEvent, step: StepMoved | undefined): Sql {
  if (step?.undo) {
    // A second instance for the same order has no say.
    return sql.sql`case when ${onTheWay} and not exists (select from step_event d where d.order_id = p.id
      and d.process_instance_key = ${step.processInstanceKey} and d.error_code = 'DUPLICATE_PROCESS') then 'COMPENSATING' else p.status end`;
  }
  if (event.history?.includes('PAYMENT_CREATED')) {
    return sql.sql`case when p.status = 'PENDING' then 'AWAITING_PAYMENT' else p.status end`;
  }
  return sql.sql`p.status`;
}
