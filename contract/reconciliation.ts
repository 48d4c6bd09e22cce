/**
 * What each service shows of what it keeps, for the reconciliation: pages sorted by id with the few fields that are
 * compared. `age` is for how many seconds the row has not changed, by the clock of the service's own database.
 */
import { z } from 'zod';
import { orderStatus, paymentState, reservationState } from './states.ts';
import { minorUnits } from './topics.ts';

/** Rows of one page at the most, and ids that may be asked for at once. */
export const mostRows = 5_000;
export const mostIds = 100;

/** A page of all, or the rows of some ids: `ids` are separated by commas. */
export const rowsQuery = z.object({
  cursor: z
    .string()
    .regex(/^[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}(\/late)?$/, 'must be `nextCursor` of the page before')
    .optional(),
  ids: z
    .string()
    .transform((text) => text.split(','))
    .pipe(z.array(z.uuid()).max(mostIds))
    .optional(),
  limit: z.coerce.number().int().min(1).max(mostRows).default(1_000),
});

const age = z.number();
/** `<product id>:<quantity>`, separated by blanks, in the order of the ids: equal text means equal tickets. */
const lines = z.string();

export const orderRow = z.object({
  id: z.string(),
  status: orderStatus,
  total: minorUnits,
  lines,
  /** Ticket codes that were given out. */
  codes: z.int(),
  /** The process instance that refunds it, or has. */
  refundBy: z.string().nullable(),
  age,
});
export type OrderRow = z.infer<typeof orderRow>;

export const reservationRow = z.object({
  /** The order's id, or `<order id>/late`. */
  id: z.string(),
  orderId: z.string(),
  state: reservationState,
  /** The process instance that reserved; null on a tombstone. */
  owner: z.string().nullable(),
  lines,
  age,
});
export type ReservationRow = z.infer<typeof reservationRow>;

export const paymentRow = z.object({
  id: z.string(),
  orderId: z.string(),
  state: paymentState,
  amount: minorUnits,
  source: z.enum(['provider', 'manual']),
  /** The provider is known to have taken the request. */
  accepted: z.boolean(),
  age,
});
export type PaymentRow = z.infer<typeof paymentRow>;

/** A product whose counts differ from its reservations. */
export const stockRow = z.object({
  productId: z.string(),
  capacity: z.int(),
  available: z.int(),
  held: z.int(),
  sold: z.int(),
  /** Sums over the lines of the reservations. */
  heldByReservations: z.int(),
  soldByReservations: z.int(),
});
export type StockRow = z.infer<typeof stockRow>;

/** Events that wait in a service's outbox, and for how long the oldest does. */
export const outboxRow = z.object({ unsent: z.int(), oldestAge: age });
export type OutboxRow = z.infer<typeof outboxRow>;

export const rowsOf = <Row extends z.ZodType>(row: Row) =>
  z.object({ items: z.array(row), nextCursor: z.string().nullable() });
