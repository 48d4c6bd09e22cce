/** Where the reconciliation reads: every service's sorted pages, rows by id, and the engine. No role reads another's schema. */
import {
  type OrderRow,
  orderRow,
  outboxRow,
  type PaymentRow,
  paymentRow,
  type ReservationRow,
  reservationRow,
  rowsOf,
  stockRow,
} from '@ticket-saga/contract/reconciliation';
import { backoffMs, pause } from '@ticket-saga/runtime/backoff';
import { isOwnFault, PassingFault } from '@ticket-saga/runtime/errors';
import { z } from 'zod';
import { processesOf } from './further-processes.ts';
import { allRows } from './reconcile-merge.ts';
import type { OrderCase } from './reconcile-judge.ts';
import type { ReconcileParts } from './reconcile-parts.ts';
import type { ServiceName } from './services.ts';

/** Smaller than what a service gives at the most: a page waits in memory for each list, and one more is on its way. */
const usualPage = 2_000;
/** After waits of 1, 2, 4, 8 and 16 s. */
const mostTries = 6;

const isUuid = (id: string) => z.uuid().safeParse(id).success;

/** Their names as people read them. */
export const serviceNames = {
  'order-service': 'order',
  'inventory-service': 'inventory',
  'payment-service': 'payment',
} as const satisfies Record<string, ServiceName>;
export const isService = (name: string): name is keyof typeof serviceNames => Object.hasOwn(serviceNames, name);

/** Probes of the engine, and look-ups at the provider, at once. */
const atOnce = 10;

export type Sources = ReturnType<typeof createSources>;

export function createSources(
  { db, engine, services, books, pageSize = usualPage }: ReconcileParts,
  signal: AbortSignal,
) {
  const patiently = <T>(ask: () => Promise<T>) => again(ask, signal);
  const list = <Row extends z.ZodType>(service: ServiceName, path: string, row: Row) =>
    allRows<z.output<Row>>((cursor) => {
      const after = cursor === null ? '' : `&cursor=${encodeURIComponent(cursor)}`;
      return patiently(() => services.get(service, `${path}?limit=${pageSize}${after}`, rowsOf(row)));
    });
  const byIds = async <Row extends z.ZodType>(service: ServiceName, path: string, row: Row, ids: string[]) =>
    ids.length === 0
      ? []
      : (await patiently(() => services.get(service, `${path}?ids=${ids.join(',')}`, rowsOf(row)))).items;

  return {
    orders: () => list('order', '/reconciliation/orders', orderRow),
    reservations: () => list('inventory', '/reconciliation/reservations', reservationRow),
    /** In the order of the orders. */
    paymentsByOrder: () => list('payment', '/reconciliation/payments-by-order', paymentRow),
    /** In the order of the payments' own ids, as the provider's. */
    payments: () => list('payment', '/reconciliation/payments', paymentRow),
    provider: () => allRows((cursor) => patiently(() => books.page(cursor, pageSize))),
    stock: async () =>
      (
        await patiently(() =>
          services.get('inventory', '/reconciliation/stock', z.object({ items: z.array(stockRow) })),
        )
      ).items,
    outbox: (service: ServiceName) => patiently(() => services.get(service, '/reconciliation/outbox', outboxRow)),

    /** What is kept of these orders now, `mostIds` at the most. */
    async cases(ids: string[]): Promise<OrderCase[]> {
      const [orders, reservations, payments] = await Promise.all([
        byIds('order', '/reconciliation/orders', orderRow, ids),
        byIds('inventory', '/reconciliation/reservations', reservationRow, ids),
        byIds('payment', '/reconciliation/payments-by-order', paymentRow, ids),
      ]);
      return ids.map((id) => ({
        id,
        order: orders.find((row) => row.id === id),
        reservations: reservations.filter((row) => row.orderId === id),
        payment: payments.find((row) => row.orderId === id),
      }));
    },
    ordersByIds: (ids: string[]): Promise<OrderRow[]> => byIds('order', '/reconciliation/orders', orderRow, ids),
    /** Of ids that only the provider knows some may be none of ours. */
    paymentsByIds: (ids: string[]): Promise<PaymentRow[]> =>
      byIds('payment', '/reconciliation/payments', paymentRow, ids.filter(isUuid)),
    providerByIds: (ids: string[]) => inTurns(ids, (id) => patiently(() => books.find(id))),

    /**
     * Adds what the engine says. A process that was started twice, by a crash in between, lives on under the key that
     * reserved, or that refunds; so the owners of the reservations and of the refund are asked for as well.
     */
    withProcess: (cases: OrderCase[]): Promise<OrderCase[]> =>
      inTurns(cases, async (it) => {
        const started = await processesOf(db, it.id);
        const owners = it.reservations.flatMap(({ owner }) => (owner === null ? [] : [owner]));
        const refund = it.order?.refundBy ?? [];
        const alive = await some([...new Set([...started, ...owners].concat(refund))], (key) =>
          patiently(() => engine.isAlive(key)),
        );
        return { ...it, process: { started: started.length > 0, alive } };
      }),
  };
}

/** A long run must outlive the restart of a service, and a moment in which a part has too much to do. */
async function again<T>(ask: () => Promise<T>, signal: AbortSignal): Promise<T> {
  for (let failures = 1; ; failures += 1) {
    try {
      return await ask();
    } catch (error) {
      const passes = error instanceof PassingFault || isOwnFault(error);
      if (!passes || failures === mostTries || signal.aborted) throw error;
      await pause(backoffMs(failures), signal);
    }
  }
}

async function some<T>(all: T[], holds: (one: T) => Promise<boolean>): Promise<boolean> {
  for (const one of all) if (await holds(one)) return true;
  return false;
}

/** Does `work` for all, a few at once. */
async function inTurns<T, R>(all: T[], work: (one: T) => Promise<R>): Promise<R[]> {
  const done: R[] = [];
  for (let from = 0; from < all.length; from += atOnce)
    done.push(...(await Promise.all(all.slice(from, from + atOnce).map((one) => work(one)))));
  return done;
}

/** For the joins: rows of one list with the key that they are joined by. */
export const byOrder = {
  order: ({ id }: OrderRow) => id,
  reservation: ({ orderId }: ReservationRow) => orderId,
  payment: ({ orderId }: PaymentRow) => orderId,
};
