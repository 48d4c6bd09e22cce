/** Ticket codes: one for each unit of a confirmed order. */
import { isFinal, type OrderStatus } from '@ticket-saga/contract/states';
import { type Db, sql } from '@ticket-saga/runtime/database';
import { Problem } from '@ticket-saga/runtime/problem';

const units = sql.sql`jsonb_to_recordset(changed.items) as item("productId" text, quantity int), generate_series(1, item.quantity) as unit`;

/** A CTE that gives the changed order the codes that it lacks. */
export const giveTickets = sql.sql`, tickets as (
      insert into ticket (code, order_id, product_id, unit)
      select ticket_code(), changed.id, item."productId", unit from changed, ${units}
      on conflict (order_id, product_id, unit) do nothing
      returning code
    )`;

/**
 * For the reconciliation: an order that is confirmed gets the codes that it lacks and loses those that it did not order;
 * one that ended otherwise loses all, unless it was refunded: it keeps those that it once had. Again it changes nothing.
 * @returns how many codes the order has now
 * @throws Problem 404 ORDER_NOT_FOUND; 409 STALE_ACTION when it has not ended
 */
export async function fitTicketCodes(db: Db, id: string): Promise<number> {
  return db.$transaction(async (tx) => {
    // First the lock, then a statement of its own, which sees what was done by whoever had it before.
    const [order] = await tx.$queryRaw<{ status: OrderStatus }[]>`
      select status from purchase where id = ${id}::uuid for no key update`;
    if (!order) throw new Problem('ORDER_NOT_FOUND', `There is no order ${id}.`);
    if (!isFinal(order.status)) throw new Problem('STALE_ACTION', `The order is ${order.status}: it has not ended.`);
    if (order.status !== 'REFUNDED') {
      await tx.$executeRaw`
        with changed as (
          select id, items from purchase where id = ${id}::uuid and status = 'CONFIRMED'
        ), surplus as (
          delete from ticket t where order_id = ${id}::uuid
            and not exists (select from changed, ${units} where item."productId" = t.product_id and unit = t.unit)
          returning code
        )${giveTickets}
        update purchase set updated_at = now()
        where id = ${id}::uuid and (exists (select from surplus) or exists (select from tickets))`;
    }
    const [count] = await tx.$queryRaw<{ codes: number }[]>`
      select count(*)::int as codes from ticket where order_id = ${id}::uuid`;
    return count?.codes ?? 0;
  });
}
