/** Confirm tickets: what was held is sold. Its undo is `releaseTickets`. */
import { bpmnErrors } from '@ticket-saga/contract/errors';
import type { jobs } from '@ticket-saga/contract/jobs';
import type { ReservationState } from '@ticket-saga/contract/states';
import { type Db, sql } from '@ticket-saga/runtime/database';
import { BusinessError } from '@ticket-saga/runtime/errors';
import type { Context } from '@ticket-saga/runtime/job';
import { insertIntoOutbox } from '@ticket-saga/runtime/outbox';
import type { z } from 'zod';
import { decide } from './decide.ts';
import { lockStock, moveStock } from './stock.ts';

/**
 * HELD → CONFIRMED, also when the hold's time is over and nobody swept it yet; EXPIRED → CONFIRMED if all its tickets
 * can be taken again in this statement, and nobody released it; CONFIRMED stays as it is.
 * @throws BusinessError RESERVATION_EXPIRED in every other state
 */
export async function confirmTickets(
  db: Db,
  { orderId, reservationId }: z.output<typeof jobs.confirmTickets.input>,
  context: Context,
): Promise<Record<string, never>> {
  const { confirmed, was } = await decide<{ confirmed: boolean; was: ReservationState | null }>(
    db,
    confirm(reservationId ?? orderId, context),
  );
  context.logger.info(confirmed ? 'tickets sold' : 'tickets not sold: the hold is gone', {
    orderId,
    reservationId,
    was,
  });
  if (!confirmed) throw new BusinessError('RESERVATION_EXPIRED');
  return {};
}

function confirm(id: string, context: Context): sql.Sql {
  const sold = insertIntoOutbox([context.completed()], sql.sql`exists (select from outcome where confirmed)`);
  const gone = insertIntoOutbox(
    [context.failed('RESERVATION_EXPIRED', bpmnErrors.RESERVATION_EXPIRED)],
    sql.sql`exists (select from outcome where not confirmed)`,
  );
  return sql.sql`
    with standing as (
      select id, state, state = 'HELD' or (state = 'EXPIRED' and released_at is null) as may
      from reservation where id = ${id}::text for update
    ), line as (
      select l.product_id, l.quantity, s.state = 'EXPIRED' as retake
      from reservation_line l join standing s on s.id = l.reservation_id where s.may
    ), stock as materialized (${lockStock(sql.sql`select product_id from line`)}
    ), enough as (
      select coalesce(bool_and(not l.retake or s.available >= l.quantity), false) as yes
      from line l join stock s on s.id = l.product_id
    ), sale as (
      update reservation r set state = 'CONFIRMED', updated_at = now()
      from standing s cross join enough e where r.id = s.id and s.may and e.yes
      returning r.id
    ), move as (
      select product_id, case when retake then -quantity else 0 end as available,
        case when retake then 0 else -quantity end as held, quantity as sold
      from line cross join sale
    ), moved as (${moveStock}
    ), outcome as (
      select s.state as was, coalesce(s.state = 'CONFIRMED', false) or exists (select from sale) as confirmed
      from (select) as always left join standing s on true
    ), told_sold as (${sold}), told_gone as (${gone})
    select was, confirmed from outcome`;
}
