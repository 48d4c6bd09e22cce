/** What the reconciliation reads of reservations and stock. */
import { type ReservationRow, reservationRow, type StockRow, stockRow } from '@ticket-saga/contract/reconciliation';
import type { Api } from '@ticket-saga/runtime/api';
import { type Db, sql } from '@ticket-saga/runtime/database';
import { addOutboxRoutes, addRowsRoute, pageOf, type RowsQuery } from '@ticket-saga/runtime/reconciliation';
import type { Relay } from '@ticket-saga/runtime/relay';
import { z } from 'zod';

/** Products named at the most: where more are off, one cause has put them all off. */
const mostProducts = 1_000;

export function addReconciliationRoutes(api: Api, db: Db, relay?: Relay): void {
  addRowsRoute(api, {
    path: '/reconciliation/reservations',
    what: 'reservations; by `ids`, those of the orders with these ids',
    row: reservationRow,
    keyOf: ({ id }) => id,
    read: (query) => readReservationRows(db, query),
  });
  addOutboxRoutes(api, db, relay);
  api.route({
    method: 'get',
    path: '/reconciliation/stock',
    summary: 'For the reconciliation: products whose counts differ from their reservations',
    description: `At most ${mostProducts}, all counted at one moment.`,
    access: 'operator',
    answers: { 200: { description: 'The products', schema: z.object({ items: z.array(stockRow) }) } },
    handle: async () => ({ status: 200, body: { items: await readStockOff(db) } }),
  });
}

// An order has at most two: its own and that of a late payment, whose id only has more at its end. So pages in the order
// of the order ids, and of the ids within, are in the order of the ids, whatever the database's collation.
async function readReservationRows(db: Db, query: RowsQuery): Promise<ReservationRow[]> {
  const orderOfCursor = query.cursor?.slice(0, 36) ?? null;
  const page = pageOf(query, {
    id: sql.sql`(r.order_id, r.id)`,
    cursor: sql.sql`(${orderOfCursor}::uuid, ${query.cursor ?? null}::text)`,
    ids: sql.sql`r.order_id`,
  });
  return db.$queryRaw<ReservationRow[]>`
    select r.id, r.order_id::text as "orderId", r.state, r.owner,
      (select coalesce(string_agg(l.product_id || ':' || l.quantity, ' ' order by l.product_id collate "C"), '')
        from reservation_line l where l.reservation_id = r.id) as lines,
      extract(epoch from now() - r.updated_at)::float8 as age
    from reservation r where ${page}
    order by r.order_id, r.id limit ${query.ids ? 2 * query.limit : query.limit}`;
}

/** One statement, so that stock and reservations are seen as of one moment: what differs is really off. */
async function readStockOff(db: Db): Promise<StockRow[]> {
  return db.$queryRaw<StockRow[]>`
    select p.id as "productId", p.capacity, p.available, p.held, p.sold,
      coalesce(s.held, 0)::int as "heldByReservations", coalesce(s.sold, 0)::int as "soldByReservations"
    from product p left join (
      select l.product_id, sum(l.quantity) filter (where r.state = 'HELD') as held,
        sum(l.quantity) filter (where r.state = 'CONFIRMED') as sold
      from reservation r join reservation_line l on l.reservation_id = r.id
      where r.state in ('HELD', 'CONFIRMED') group by l.product_id
    ) s on s.product_id = p.id
    where p.held <> coalesce(s.held, 0) or p.sold <> coalesce(s.sold, 0) or p.available + p.held + p.sold <> p.capacity
    order by p.id limit ${mostProducts}`;
}
