/** Repairs of stock and reservations, for the reconciliation. */
import type { StockRow } from '@ticket-saga/contract/reconciliation';
import type { ReservationState } from '@ticket-saga/contract/states';
import { type FactNoted, topics } from '@ticket-saga/contract/topics';
import type { Db, Tx } from '@ticket-saga/runtime/database';
import type { OutboxEvent } from '@ticket-saga/runtime/outbox';
import { Problem } from '@ticket-saga/runtime/problem';
import { decide } from './decide.ts';
import { productIdPattern } from './products.ts';
import { release, type Released } from './reservations.ts';

/**
 * Releases the reservation as `release-tickets` does, whoever owns it. Again it answers the same.
 * @throws Problem 404 NOT_FOUND; 409 STALE_ACTION when it was refused, and never held a ticket
 */
export async function releaseAnyway(db: Db, id: string): Promise<ReservationState> {
  const known = await db.reservation.findUnique({ where: { id }, select: { orderId: true } });
  if (!known) throw new Problem('NOT_FOUND', `There is no reservation ${id}.`);
  const told = { freed: releasedEvent(id, known.orderId), nothing: [] };
  const { was } = await decide<Released>(db, release(id, known.orderId, told));
  if (was === 'REJECTED') throw new Problem('STALE_ACTION', `The reservation ${id} was refused: it holds no tickets.`);
  return was === 'EXPIRED' ? was : 'RELEASED';
}

/** No step of a process does it, and its order need not exist. */
function releasedEvent(id: string, orderId: string): OutboxEvent {
  const value: FactNoted = {
    idempotencyKey: `reservation:${id}:released`,
    type: 'FACT',
    orderId,
    occurredAt: new Date().toISOString(),
    history: ['RESERVE_RELEASED'],
    repair: true,
  };
  return { topic: topics.orderSteps, key: orderId, value };
}

/**
 * Makes what the product counts as held and sold the sums of its reservations, the rest available. Again it changes
 * nothing.
 * @throws Problem 404 PRODUCT_NOT_FOUND; 409 STOCK_BELOW_SOLD when more is held and sold than there is
 */
export async function recountStock(db: Db, productId: string): Promise<StockRow> {
  return db.$transaction(async (tx) => {
    // Two statements: the sums must be read after the lock is had. Whoever moves tickets waits for it, before or after.
    const product = productIdPattern.test(productId) ? await lockProduct(tx, productId) : undefined;
    if (!product) throw new Problem('PRODUCT_NOT_FOUND', `There is no product "${productId}".`);
    const { held, sold } = await countTickets(tx, productId);
    const { name, capacity } = product;
    const available = capacity - held - sold;
    if (available < 0) {
      const detail = `Of "${name}" ${held} are held and ${sold} are sold by reservations, of ${capacity}: oversold by ${-available}. Raise its stock, or refund orders.`;
      throw new Problem('STOCK_BELOW_SOLD', detail);
    }
    await tx.$executeRaw`
      update product set available = ${available}, held = ${held}, sold = ${sold}
      where id = ${productId} and (available, held, sold) is distinct from (${available}::int, ${held}::int, ${sold}::int)`;
    return { productId, capacity, available, held, sold, heldByReservations: held, soldByReservations: sold };
  });
}

async function lockProduct(tx: Tx, id: string): Promise<{ name: string; capacity: number } | undefined> {
  const rows = await tx.$queryRaw<{ name: string; capacity: number }[]>`
    select name, capacity from product where id = ${id} for update`;
  return rows[0];
}

async function countTickets(tx: Tx, id: string): Promise<{ held: number; sold: number }> {
  const [sums] = await tx.$queryRaw<{ held: number; sold: number }[]>`
    select coalesce(sum(l.quantity) filter (where r.state = 'HELD'), 0)::int as held,
      coalesce(sum(l.quantity) filter (where r.state = 'CONFIRMED'), 0)::int as sold
    from reservation_line l join reservation r on r.id = l.reservation_id
    where l.product_id = ${id} and r.state in ('HELD', 'CONFIRMED')`;
  return sums ?? { held: 0, sold: 0 };
}
