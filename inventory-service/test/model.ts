/**
 * What inventory-service promises, as plain objects and no SQL: the yardstick of the property tests. Written from
 * ARCHITECTURE 5, not from the statements it judges.
 */
import type { OrderItem } from '@ticket-saga/contract/topics';

type Job = { order: string; owner: string; jobKey: string };
type Reserve = Job & { do: 'reserve'; items: OrderItem[]; late: boolean };
export type Command =
  | Reserve
  | (Job & { do: 'confirm' })
  | (Job & { do: 'release' })
  | { do: 'hold ends'; order: string }
  /** `due`: what was really swept, where another's lock may have kept some out of reach. */
  | { do: 'sweep'; due?: string[] }
  | { do: 'change'; product: string; stock?: number; price?: number };

export type Reservation = {
  state: 'HELD' | 'REJECTED' | 'CONFIRMED' | 'RELEASED' | 'EXPIRED';
  /** None on a tombstone. */
  owner: string | undefined;
  released: boolean;
  holdEnded: boolean;
  refusal: string | undefined;
  total: number;
  lines: { product: string; quantity: number }[];
};
export type Product = { price: number; capacity: number; available: number; held: number; sold: number };

/** `told`: the events of the timeline by what makes them unique, with the facts that they tell. */
export type Model = {
  products: Record<string, Product>;
  reservations: Record<string, Reservation>;
  told: Record<string, string[]>;
};

const money = (minorUnits: number) => (minorUnits / 100).toFixed(2);
const known = <T>(entry: T | undefined): T => {
  if (entry === undefined) throw new Error('The model does not know it.');
  return entry;
};

/** Changes `model` as the command does, and returns what it answers: `ok …`, or the refusal's code and sentence. */
export function apply(model: Model, command: Command): string {
  switch (command.do) {
    case 'reserve':
      return reserve(model, command);
    case 'confirm':
      return confirm(model, command);
    case 'release':
      return release(model, command);
    case 'hold ends': {
      const reservation = model.reservations[command.order];
      if (reservation?.state === 'HELD') reservation.holdEnded = true;
      return 'ok';
    }
    case 'sweep': {
      const due = Object.keys(model.reservations).filter((order) => {
        const { state, holdEnded } = known(model.reservations[order]);
        return state === 'HELD' && holdEnded;
      });
      const swept = command.due ?? due;
      if (!swept.every((order) => due.includes(order))) return 'swept what was not due';
      for (const order of swept) {
        const reservation = known(model.reservations[order]);
        reservation.state = 'EXPIRED';
        move(model, reservation, 'held', 'available');
      }
      return `ok ${swept.toSorted().join()}`;
    }
    case 'change': {
      const product = known(model.products[command.product]);
      const capacity = command.stock ?? product.capacity;
      if (capacity < product.held + product.sold) return 'STOCK_BELOW_SOLD';
      product.available += capacity - product.capacity;
      product.capacity = capacity;
      product.price = command.price ?? product.price;
      return 'ok';
    }
  }
}

function reserve(model: Model, { order, owner, jobKey, items, late }: Reserve): string {
  const before = model.reservations[order];
  const tell = (outcome: string, facts: string[]) => note(model, order, ['reserve', owner, jobKey, outcome], facts);
  if (before) {
    const ours = before.owner === owner && !before.released;
    tell(ours && !before.refusal ? 'COMPLETED' : 'FAILED', []);
    if (!ours) return 'DUPLICATE_PROCESS';
    return before.refusal ?? `ok ${before.total}`;
  }
  const lines = [...new Set(items.map((item) => item.productId))].toSorted().map((product) => ({
    product,
    quantity: items.reduce((sum, item) => sum + (item.productId === product ? item.quantity : 0), 0),
  }));
  const refusal = refusalOf(model, items, lines, late);
  const total = refusal ? 0 : lines.reduce((sum, l) => sum + l.quantity * known(model.products[l.product]).price, 0);
  const reservation: Reservation = {
    state: refusal ? 'REJECTED' : 'HELD',
    owner,
    released: false,
    holdEnded: false,
    refusal,
    total,
    lines: refusal ? [] : lines,
  };
  model.reservations[order] = reservation;
  move(model, reservation, 'available', 'held');
  if (refusal) tell('FAILED', ['RESERVE_FAILED']);
  else tell('COMPLETED', ['RESERVE_CREATED']);
  return refusal ?? `ok ${total}`;
}

function refusalOf(model: Model, items: OrderItem[], lines: Reservation['lines'], late: boolean): string | undefined {
  if (late) return 'ORDER_EXPIRED: The order was too old when it could be handled.';
  const unknown = lines.find((line) => !model.products[line.product]);
  if (unknown) return `UNKNOWN_PRODUCT: The product "${unknown.product}" is not sold here.`;
  for (const { product } of lines) {
    const { price } = known(model.products[product]);
    const others = items
      .filter((item) => item.productId === product)
      .map((item) => [item.unitPrice, item.seenPrice].find((seen) => seen !== undefined && seen !== price))
      .filter((other) => other !== undefined);
    if (others.length > 0)
      return `PRICE_CHANGED: The price of "show ${product}" is ${money(price)} GBP now, not ${money(Math.min(...others))}.`;
  }
  for (const { product, quantity } of lines) {
    const { available } = known(model.products[product]);
    if (available === 0 && quantity > 0) return `SOLD_OUT: "show ${product}" is sold out.`;
    if (available < quantity)
      return `SOLD_OUT: Not enough tickets are left for "show ${product}": ${available} of the ${quantity} ordered.`;
  }
  return undefined;
}

function confirm(model: Model, { order, owner, jobKey }: Job): string {
  const reservation = model.reservations[order];
  const retake =
    reservation?.state === 'EXPIRED' &&
    !reservation.released &&
    reservation.lines.every((line) => known(model.products[line.product]).available >= line.quantity);
  if (reservation && (reservation.state === 'HELD' || retake)) {
    move(model, reservation, retake ? 'available' : 'held', 'sold');
    reservation.state = 'CONFIRMED';
  }
  const confirmed = reservation?.state === 'CONFIRMED';
  note(model, order, ['confirm', owner, jobKey, confirmed ? 'COMPLETED' : 'FAILED'], []);
  return confirmed ? 'ok' : 'RESERVATION_EXPIRED';
}

function release(model: Model, { order, owner, jobKey }: Job): string {
  const reservation = model.reservations[order];
  const frees = reservation !== undefined && !reservation.released && reservation.state !== 'REJECTED';
  note(model, order, ['release', owner, jobKey, 'COMPLETED'], frees ? ['RESERVE_RELEASED'] : []);
  if (!reservation) {
    const tombstone = { owner: undefined, holdEnded: false, refusal: undefined, total: 0, lines: [] };
    model.reservations[order] = { ...tombstone, state: 'RELEASED', released: true };
  } else if (frees) {
    reservation.released = true;
    if (reservation.state === 'HELD') move(model, reservation, 'held', 'available');
    if (reservation.state === 'CONFIRMED') move(model, reservation, 'sold', 'available');
    if (reservation.state !== 'EXPIRED') reservation.state = 'RELEASED';
  }
  return 'ok';
}

type Pile = 'available' | 'held' | 'sold';

function move(model: Model, { lines }: Reservation, from: Pile, to: Pile): void {
  for (const { product, quantity } of lines) {
    known(model.products[product])[from] -= quantity;
    known(model.products[product])[to] += quantity;
  }
}

/** An event that is there already stays as it is. */
function note(model: Model, order: string, unique: string[], facts: string[]): void {
  model.told[`${order} ${unique.join(' ')}`] ??= facts;
}
