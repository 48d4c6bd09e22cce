/**
 * Reserve tickets, and its undo. ARCHITECTURE 5: a reservation belongs to one process instance (its owner) and moves
 * none → HELD | REJECTED, HELD → CONFIRMED | RELEASED | EXPIRED, EXPIRED → CONFIRMED, CONFIRMED → RELEASED. Each is one
 * SQL statement that locks the reservation, where there is one, then its products in the order of their ids, and writes
 * stock, reservation and the step's event together. An order may have a second reservation, for late money.
 */
import type { BpmnErrorCode } from '@ticket-saga/contract/errors';
import type { jobs } from '@ticket-saga/contract/jobs';
import type { ReservationState } from '@ticket-saga/contract/states';
import { type Db, sql } from '@ticket-saga/runtime/database';
import { BusinessError } from '@ticket-saga/runtime/errors';
import type { Context } from '@ticket-saga/runtime/job';
import { insertIntoOutbox, type OutboxEvent, outboxRows } from '@ticket-saga/runtime/outbox';
import type { z } from 'zod';
import { decide } from './decide.ts';
import { lockStock, moveStock } from './stock.ts';

type ReserveInput = z.output<typeof jobs.reserveTickets.input>;
type ReleaseInput = z.output<typeof jobs.releaseTickets.input>;

/**
 * Holds all tickets of the order, or none.
 * @param holdGrace ISO 8601 duration for which the hold outlives `payBy`
 * @returns `payBy` by the database's clock, and the total in minor units; the same again for a repeat by the same
 *   process instance, also when the hold was confirmed or has expired since
 * @throws BusinessError ORDER_EXPIRED, UNKNOWN_PRODUCT, PRICE_CHANGED or SOLD_OUT (kept, so that a repeat hears the
 *   same), or DUPLICATE_PROCESS when the reservation is another's or was released. Without `startBy` no order is too
 *   old, and with `pricesStand` no price has changed: it holds at the order's own prices
 */
export async function reserveTickets(
  db: Db,
  input: ReserveInput,
  context: Context,
  holdGrace: string,
): Promise<{ payBy: string; total: number }> {
  const verdict = await decide<Verdict>(db, reserve(input, context, holdGrace));
  const about = { orderId: input.orderId, repeat: !verdict.fresh };
  if (verdict.code !== null) {
    context.logger.info('tickets refused', { ...about, refusal: verdict.code });
    throw new BusinessError(verdict.code, verdict.message ?? undefined);
  }
  context.logger.info('tickets held', { ...about, payBy: verdict.payBy, total: verdict.total });
  return { payBy: verdict.payBy, total: verdict.total };
}

type Verdict = { fresh: boolean; total: number; payBy: string } & (
  { code: null; message: null } | { code: BpmnErrorCode; message: string | null }
);

function reserve(input: ReserveInput, context: Context, holdGrace: string) {
  const { orderId, items, paymentDeadline } = input;
  const id = input.reservationId ?? orderId;
  const pricesStand = input.pricesStand ?? false;
  const owner = context.processInstanceKey;
  const timeToPay = paymentDeadline.replace(',', '.'); // ISO 8601 allows the comma, PostgreSQL does not
  // A time to pay is told of the order's own reservation only: a late one is paid already.
  // What the events say of this decision (`payBy`, which refusal) is known only inside the statement, which fills it in.
  const held = context.completed({ history: ['RESERVE_CREATED'] });
  const refused = context.failed('SOLD_OUT', '', { history: ['RESERVE_FAILED'] });
  return sql.sql`
    with asked as (
      select * from jsonb_to_recordset(${JSON.stringify(items)}::jsonb)
        as a("productId" text, quantity int, "unitPrice" int, "seenPrice" int)
    ), known as (
      select * from reservation where id = ${id}::text
    ), stock as materialized (${lockStock(sql.sql`select "productId" from asked where not exists (select from known)`)}
    ), line as (
      select a."productId" as product_id, sum(a.quantity)::int as quantity, s.name, s.currency, s.available,
        case when ${pricesStand}::boolean then min(a."unitPrice") else s.price end as price,
        case when not ${pricesStand}::boolean then min(coalesce(nullif(a."unitPrice", s.price), nullif(a."seenPrice", s.price))) end
          as other_price
      from asked a left join stock s on s.id = a."productId"
      group by a."productId", s.name, s.price, s.currency, s.available
    ), refusal as (${refusals(input.startBy ?? null)}
    ), written as (
      insert into reservation (id, order_id, owner, state, reject_code, reject_message, total, pay_by, hold_until)
      select ${id}::text, ${orderId}::uuid, ${owner}::text,
        case when r.code is null then 'HELD' else 'REJECTED' end, r.code, r.message,
        case when r.code is null then (select sum(quantity * price)::int from line) else 0 end,
        case when r.code is null then pay_by end,
        case when r.code is null then pay_by + ${holdGrace}::interval end
      from (select now() + ${timeToPay}::interval as pay_by) as clock left join refusal r on true
      where not exists (select from known)
      on conflict (id) do nothing
      returning *
    ), written_line as (
      insert into reservation_line (reservation_id, product_id, quantity, unit_price)
      select w.id, l.product_id, l.quantity, l.price from written w cross join line l where w.state = 'HELD'
    ), move as (
      select l.product_id, -l.quantity as available, l.quantity as held, 0 as sold
      from line l cross join written w where w.state = 'HELD'
    ), taken as (${moveStock}
    ), verdict as (
      select fresh, total, to_char(pay_by at time zone 'utc', 'YYYY-MM-DD"T"HH24:MI:SS.MS"Z"') as "payBy",
        case when not ours then 'DUPLICATE_PROCESS' else reject_code end as code,
        case when not ours then 'The reservation is of another process instance, or was released already.' else reject_message end as message
      from (
        select true as fresh, true as ours, w.* from written w
        union all
        select false, k.owner is not distinct from ${owner}::text and k.released_at is null, k.* from known k
      ) as standing
    ), told as (
      insert into outbox (idempotency_key, topic, key, value, headers)
      select e.idempotency_key, e.topic, e.key, (case when v.fresh then e.value::jsonb else e.value::jsonb - 'history' end
        || case when v.code is null then case when ${id}::text = ${orderId}::text
             then jsonb_build_object('payBy', v."payBy") else '{}'::jsonb end
           else jsonb_build_object('error', jsonb_build_object('code', v.code, 'message', v.message)) end)::text, e.headers
      from verdict v join jsonb_to_recordset(${outboxRows([held, refused])}::jsonb)
        as e(idempotency_key text, topic text, key text, value text, headers jsonb)
        on (e.value::jsonb ->> 'state' = 'COMPLETED') = (v.code is null)
      on conflict (idempotency_key) do nothing
    )
    select * from verdict`;
}

/** The first reason against the reservation, of the CTE `line`: its code and one plain sentence that names the product. */
function refusals(startBy: string | null): sql.Sql {
  const money = (amount: sql.Sql) => sql.sql`to_char(${amount} / 100.0, 'FM999999990.00')`;
  return sql.sql`
      select code, message from (
        select 1 as rank, '' as product_id, 'ORDER_EXPIRED' as code, 'The order was too old when it could be handled.' as message
          where now() > ${startBy}::timestamptz
        union all
        select 2, product_id, 'UNKNOWN_PRODUCT', format('The product "%s" is not sold here.', product_id)
          from line where name is null
        union all
        select 3, product_id, 'PRICE_CHANGED', format('The price of "%s" is %s %s now, not %s.',
            name, ${money(sql.sql`price`)}, currency, ${money(sql.sql`other_price`)})
          from line where other_price is not null
        union all
        select 4, product_id, 'SOLD_OUT', case available when 0 then format('"%s" is sold out.', name)
            else format('Not enough tickets are left for "%s": %s of the %s ordered.', name, available, quantity) end
          from line where available < quantity
      ) as reason
      order by rank, product_id limit 1`;
}

/**
 * The undo of `reserveTickets`, and of the confirmation: tickets that are held or sold become available again, once.
 * Of an unknown reservation it leaves a tombstone, so that a reservation that comes later holds nothing.
 */
export async function releaseTickets(db: Db, input: ReleaseInput, context: Context): Promise<Record<string, never>> {
  const id = input.reservationId ?? input.orderId;
  // An expired hold stays EXPIRED, its tickets are free already: this is where the order's history hears of it.
  const told = { freed: context.completed({ history: ['RESERVE_RELEASED'] }), nothing: [context.completed()] };
  const { was, freed } = await decide<Released>(db, release(id, input.orderId, told));
  context.logger.info(freed ? 'tickets released' : 'nothing to release', {
    orderId: input.orderId,
    reservationId: id,
    was,
  });
  return {};
}

/** `was` null: nobody knew the reservation. */
export type Released = { was: ReservationState | null; freed: boolean };

/** One row `Released`; `told` is what goes out when tickets are freed, or when there is nothing to free. */
export function release(id: string, orderId: string, told: { freed: OutboxEvent; nothing: OutboxEvent[] }): sql.Sql {
  const freed = insertIntoOutbox([told.freed], sql.sql`exists (select from outcome where freed)`);
  const nothing = insertIntoOutbox(told.nothing, sql.sql`exists (select from outcome where not freed)`);
  return sql.sql`
    with standing as (
      select id, state from reservation where id = ${id}::text for update
    ), tombstone as (
      insert into reservation (id, order_id, state, released_at)
      select ${id}::text, ${orderId}::uuid, 'RELEASED', now() where not exists (select from standing)
      on conflict (id) do nothing
      returning id
    ), released as (
      update reservation r set released_at = now(), updated_at = now(),
        state = case s.state when 'EXPIRED' then 'EXPIRED' else 'RELEASED' end
      from standing s where r.id = s.id and s.state in ('HELD', 'CONFIRMED', 'EXPIRED') and r.released_at is null
      returning r.id, s.state as was
    ), line as (
      select l.product_id, l.quantity, r.was from reservation_line l join released r on r.id = l.reservation_id
      where r.was <> 'EXPIRED'
    ), stock as materialized (${lockStock(sql.sql`select product_id from line`)}
    ), move as (
      select product_id, quantity as available, case was when 'HELD' then -quantity else 0 end as held,
        case was when 'CONFIRMED' then -quantity else 0 end as sold
      from line
    ), given_back as (${moveStock}
    ), outcome as (
      select state as was, exists (select from released) as freed from standing
      union all
      select null, false from tombstone
    ), told_freed as (${freed}), told_nothing as (${nothing})
    select was, freed from outcome`;
}
