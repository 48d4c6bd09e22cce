/** A shop for one test file: a database of its own, and the handlers as a process instance would call them. */
import { randomUUID } from 'node:crypto';
import { jobs, lateReservation } from '@ticket-saga/contract/jobs';
import type { ReservationState } from '@ticket-saga/contract/states';
import { orderStepsEvent, type OrderItem, type OrderStepsEvent } from '@ticket-saga/contract/topics';
import type { Db } from '@ticket-saga/runtime/database';
import { testContext } from '../../test/support/context.ts';
import { testDatabase } from '../../test/support/postgres.ts';
import { confirmTickets } from '../confirmation.ts';
import { createProduct } from '../products.ts';
import { releaseTickets, reserveTickets } from '../reservations.ts';
import { expireHolds } from '../sweeper.ts';

/** Which process instance calls, and which run of the step it is; a repeat of one job has the same `jobKey`. */
type By = { owner?: string; jobKey?: string };
type Times = { paymentDeadline?: string; startBy?: string };
/** The second reservation of an order, that late money pays. */
type Late = { late?: boolean };

export type Stock = { available: number; held: number; sold: number };

const about = (orderId: string, late?: boolean) =>
  late ? { orderId, reservationId: lateReservation(orderId) } : { orderId };

const tomorrow = () => new Date(Date.now() + 86_400_000).toISOString();

export async function openShop() {
  const database = await testDatabase();
  const db = database.db('inventory');
  const statements = { count: 0 };
  const counted = countStatements(db, statements);
  const context = (
    job: (typeof jobs)[keyof typeof jobs],
    orderId: string,
    { owner = `of ${orderId}`, jobKey = '1' }: By,
  ) => testContext({ job, orderId, processInstanceKey: owner, jobKey });

  return {
    db,
    database,
    statements,
    async product(stock: number, price = 100_00, id: string = randomUUID()): Promise<string> {
      await createProduct(db, { id, name: `show ${id}`, price, stock });
      return id;
    },
    async reserve(
      orderId: string,
      items: OrderItem[],
      { paymentDeadline, startBy, late, ...by }: By & Times & Late = {},
    ) {
      const ordinary = { orderId, items, paymentDeadline: paymentDeadline ?? 'PT15M' };
      const input = late
        ? { ...ordinary, reservationId: lateReservation(orderId), pricesStand: true }
        : { ...ordinary, startBy: startBy ?? tomorrow() };
      return reserveTickets(counted, input, context(jobs.reserveTickets, orderId, by), 'PT5M');
    },
    release: (orderId: string, { late, ...by }: By & Late = {}) =>
      releaseTickets(counted, about(orderId, late), context(jobs.releaseTickets, orderId, by)),
    confirm: (orderId: string, { late, ...by }: By & Late = {}) =>
      confirmTickets(counted, about(orderId, late), context(jobs.confirmTickets, orderId, by)),
    /** Turns back the hold's end, so that the sweeper finds it. */
    async letHoldEnd(orderId: string): Promise<void> {
      await db.$executeRaw`update reservation set pay_by = now() - interval '10 min', hold_until = now() - interval '5 min'
        where id = ${orderId}`;
    },
    async expire(orderId: string): Promise<void> {
      await this.letHoldEnd(orderId);
      await expireHolds(db);
    },
    stock: (id: string): Promise<Stock> =>
      db.product.findUniqueOrThrow({ where: { id }, select: { available: true, held: true, sold: true } }),
    async state(orderId: string): Promise<ReservationState | undefined> {
      const rows = await db.$queryRaw<
        { state: ReservationState }[]
      >`select state from reservation where id = ${orderId}`;
      return rows[0]?.state;
    },
    /** What the order's timeline was told, oldest first; each event as its reader parses it. */
    async told(orderId: string): Promise<OrderStepsEvent[]> {
      const rows = await db.$queryRaw<{ value: string }[]>`
        select value from outbox where topic = 'order-steps' and key = ${orderId} order by id`;
      return rows.map(({ value }) => orderStepsEvent.parse(JSON.parse(value)));
    },
    async history(orderId: string): Promise<string[]> {
      return (await this.told(orderId)).flatMap((event) => event.history ?? []);
    },
    close: () => database.drop(),
  };
}

export type Shop = Awaited<ReturnType<typeof openShop>>;

export const line = (productId: string, quantity: number, unitPrice = 100_00): OrderItem => ({
  productId,
  quantity,
  unitPrice,
});

/** Each raw query outside a transaction is one statement; anything else would show as another count. */
function countStatements(db: Db, statements: { count: number }): Db {
  return new Proxy(db, {
    get(target, name) {
      const member: unknown = Reflect.get(target, name);
      if (typeof member !== 'function') return member;
      return (...given: unknown[]): unknown => {
        statements.count += 1;
        return Reflect.apply(member, target, given);
      };
    },
  });
}
