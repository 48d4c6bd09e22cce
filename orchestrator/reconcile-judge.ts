/** What is wrong with an order, or between our books and the provider's: pure functions of what was read. */
import type { OrderRow, PaymentRow, ReservationRow } from '@ticket-saga/contract/reconciliation';
import { isFinal } from '@ticket-saga/contract/states';
import type { ProviderRow } from './provider-books.ts';
import type { Finding, Kind } from './reconcile-kinds.ts';

/** All that is kept of one order. `process` is undefined while the engine was not asked. */
export type OrderCase = {
  id: string;
  order: OrderRow | undefined;
  reservations: ReservationRow[];
  payment: PaymentRow | undefined;
  process?: {
    /** A process was started for the order at some time. */
    started: boolean;
    /** One of its processes is in the engine now: it will see to the rest, or is stuck and listed as such. */
    alive: boolean;
  };
};

/** Seconds. */
export type Times = {
  /** What changed within it is left for the next run. */
  settle: number;
  /** What may be under way for a while counts as lost after it. */
  overdue: number;
};

/** Changed within `settle`, seconds: what it looks like is not judged yet. */
export const isUnsettled = (it: OrderCase, { settle }: Times): boolean => ageOf(it) < settle;

function ageOf(it: OrderCase): number {
  const rows = [it.order, it.payment, ...it.reservations].filter((row) => row !== undefined);
  return Math.min(...rows.map((row) => row.age));
}

/** Without `process` it names what would be wrong if nothing took care of the order: a reason to look again. */
export function judgeOrder(it: OrderCase, times: Times): Finding[] {
  const age = ageOf(it);
  if (isUnsettled(it, times)) return [];
  const kindsFound = ((): Kind[] => {
    if (!it.order) return withoutOrder(it);
    if (!isFinal(it.order.status)) return onTheWay(it, it.order, age >= times.overdue);
    if (it.process?.alive) return [];
    return it.order.status === 'CONFIRMED' ? confirmed(it, it.order) : ended(it, it.order, age >= times.overdue);
  })();
  return kindsFound.map((kind) => ({ kind, subject: it.id, orderId: it.id, details: detailsOf(it) }));
}

function withoutOrder({ reservations, payment }: OrderCase): Kind[] {
  const tickets = reservations.some(({ state }) => state === 'HELD' || state === 'CONFIRMED');
  const money = payment !== undefined && !['VOIDED', 'DECLINED', 'REFUNDED'].includes(payment.state);
  return only({ 'tickets-without-order': tickets, 'money-without-order': money });
}

function onTheWay({ reservations, payment, process }: OrderCase, order: OrderRow, overdue: boolean): Kind[] {
  // Taken back into work after its end: the abort of the saga knows nothing of it.
  if (order.refundBy !== null) return only({ 'refund-without-process': !process?.alive });
  const paid = payment?.state === 'APPROVED';
  if (process?.alive) return only({ 'paid-but-waiting': paid && overdue });
  if (paid) return ['paid-not-confirmed'];
  const begun = process?.started || reservations.length > 0 || payment !== undefined;
  return only({ 'order-without-process': begun, 'order-never-started': !begun && overdue });
}

function confirmed({ reservations, payment }: OrderCase, order: OrderRow): Kind[] {
  const sold = reservations.filter(({ state }) => state === 'CONFIRMED');
  const asOrdered = sold.length === 1 && sold[0]?.lines === order.lines;
  return only({
    'confirmed-without-tickets': sold.length === 0,
    'quantities-differ': sold.length > 0 && !asOrdered,
    'confirmed-not-paid': payment?.state !== 'APPROVED' || payment.amount !== order.total,
    'ticket-codes-off': order.codes !== ticketsIn(order.lines),
  });
}

function ended({ reservations, payment }: OrderCase, order: OrderRow, overdue: boolean): Kind[] {
  const state = payment?.state;
  return only({
    'held-for-final-order': reservations.some((one) => one.state === 'HELD'),
    'sold-for-ended-order': reservations.some((one) => one.state === 'CONFIRMED'),
    'money-kept': state === 'APPROVED',
    'payment-open': state === 'REQUESTED' || state === 'VOIDING' || state === 'REFUNDING',
    'late-without-process': state === 'LATE' && overdue,
    // An order that was refunded keeps the codes that it once had.
    'ticket-codes-off': order.status !== 'REFUNDED' && order.codes > 0,
  });
}

/** Our books against the provider's, payment by payment. */
export function judgeBooks(
  payment: PaymentRow | undefined,
  theirs: ProviderRow | undefined,
  { settle, overdue }: Times,
): Finding[] {
  const age = Math.min(payment?.age ?? Infinity, theirs?.age ?? Infinity);
  const kind = age < settle ? undefined : bookKind(payment, theirs, age >= overdue);
  if (!kind) return [];
  const { age: _age, ...ours } = payment ?? { age };
  const details = { ours: payment ? ours : null, provider: theirs ?? null };
  return [{ kind, subject: payment?.id ?? theirs?.reference ?? '', orderId: payment?.orderId ?? null, details }];
}

function bookKind(ours: PaymentRow | undefined, theirs: ProviderRow | undefined, overdue: boolean): Kind | undefined {
  // What has ended there without money, or was given back, is nobody's.
  if (!ours) return theirs?.status === 'PENDING' || theirs?.status === 'APPROVED' ? 'unknown-to-shop' : undefined;
  const byHand = ours.source === 'manual';
  if (!theirs) return ours.accepted && !byHand ? 'unknown-to-provider' : undefined;
  const decided = theirs.status === 'APPROVED' || theirs.status === 'DECLINED';
  const asAsked = theirs.status !== 'APPROVED' || theirs.approvedAmount === ours.amount;
  switch (ours.state) {
    case 'VOIDING':
    case 'REFUNDING':
      return undefined; // the call is due or in flight: who owes it is judged by the order
    case 'REQUESTED':
      if (!overdue || theirs.status === 'PENDING') return undefined;
      return decided && asAsked ? 'provider-not-heard' : 'books-differ';
    case 'DECLINED':
    case 'VOIDED':
      // Another amount than asked is no approval, however often the provider is asked.
      if (theirs.status === 'APPROVED' && overdue) return asAsked ? 'provider-not-heard' : 'books-differ';
      return theirs.status === 'PENDING' && !byHand ? 'books-differ' : undefined;
    case 'APPROVED':
    case 'LATE':
      // Approved by hand: the provider knows nothing of it.
      if (byHand && theirs.status !== 'APPROVED' && theirs.status !== 'REFUNDED') return undefined;
      return theirs.status === 'APPROVED' && asAsked ? undefined : 'books-differ';
    case 'REFUNDED':
      return theirs.status === 'APPROVED' || (theirs.status === 'PENDING' && !byHand) ? 'books-differ' : undefined;
    default:
      return ours.state satisfies never;
  }
}

/** A process that runs in the engine. `repairs`: one of our own repairs started it. */
export type ProcessCase = {
  key: string;
  processId: string;
  orderId: string | null;
  order: OrderRow | undefined;
  repairs: boolean;
  /** Seconds since its start, as Operate says; undefined at the second look. */
  age?: number;
};

export function judgeProcess(it: ProcessCase, { settle, overdue }: Times): Finding[] {
  const details = { processId: it.processId, processInstanceKey: it.key, status: it.order?.status ?? null };
  const finding = (kind: Kind) => [{ kind, subject: it.key, orderId: it.orderId, details }];
  // Operate may show an instance before its variables: of a young one the order is not known yet.
  if (it.orderId === null && it.age !== undefined && it.age < overdue) return [];
  if (!it.order) return finding('process-without-order');
  // The other processes work on orders that have ended.
  const outlives = it.processId === 'ticket-order' && !it.repairs && isFinal(it.order.status) && it.order.age >= settle;
  return outlives ? finding('process-for-final-order') : [];
}

const only = (found: Partial<Record<Kind, boolean>>): Kind[] =>
  (Object.keys(found) as Kind[]).filter((kind) => found[kind]);

const ticketsIn = (lines: string) =>
  lines === '' ? 0 : lines.split(' ').reduce((sum, line) => sum + Number(line.slice(line.lastIndexOf(':') + 1)), 0);

function detailsOf({ order, reservations, payment, process }: OrderCase): Record<string, unknown> {
  return {
    status: order?.status ?? null,
    ...(order ? { lines: order.lines, codes: order.codes, total: order.total } : {}),
    /** The reservation that a repair has to release. */
    held: reservations.find(({ state }) => state === 'HELD' || state === 'CONFIRMED')?.id ?? null,
    reservations: Object.fromEntries(reservations.map(({ id, state, lines }) => [id, `${state} ${lines}`.trim()])),
    payment: payment ? { id: payment.id, state: payment.state, amount: payment.amount, source: payment.source } : null,
    ...(process ? { process: process.alive ? 'runs' : process.started ? 'gone' : 'never started' } : {}),
  };
}
