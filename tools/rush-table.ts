/** What must be true after a rush, as lines of a table: what was found and what must be. */
import { isFinal } from '@ticket-saga/contract/states';
import type { Money } from './books.ts';
import type { OrderView, ProductView } from './shop.ts';

export type Line = { what: string; found: string; must: string };

export const isRight = ({ found, must }: Line) => found === must;

const number = (value: number) => value.toLocaleString('en-GB');
export const pounds = (minor: number) =>
  (minor / 100).toLocaleString('en-GB', { minimumFractionDigits: 2, maximumFractionDigits: 2 });

export const line = (what: string, found: number, must: number): Line => ({
  what,
  found: number(found),
  must: number(must),
});

const unitsOf = (order: OrderView) => order.items.reduce((sum, item) => sum + item.quantity, 0);
const minorUnits = (decimal: number) => Math.round(decimal * 100);
const sum = (numbers: number[]) => numbers.reduce((total, each) => total + each, 0);

/** `label` names the wave; of its orders, whatever came before. */
export function stockLines(product: ProductView, orders: readonly OrderView[]): Line[] {
  const confirmed = orders.filter(({ status }) => status === 'CONFIRMED');
  const codes = orders.flatMap(({ tickets }) => tickets.map(({ code }) => code));
  return [
    line('orders that have not ended', orders.filter(({ status }) => !isFinal(status)).length, 0),
    line('tickets held', product.held, 0),
    line('tickets free, held and sold together', product.available + product.held + product.sold, product.capacity),
    line('tickets sold', product.sold, sum(confirmed.map(unitsOf))),
    line('ticket codes handed out, each once', new Set(codes).size, product.sold),
  ];
}

/** Something follows: an answer of the provider, or what becomes of money that came too late. */
export const isOpen = (paymentState: string | undefined) =>
  ['REQUESTED', 'VOIDING', 'REFUNDING', 'LATE'].includes(paymentState ?? '');

/** To the penny: what the provider took and kept, against the orders that say they are paid. */
export function moneyLines(money: readonly Money[]): Line[] {
  const due = ({ order }: Money) => (order.status === 'CONFIRMED' ? minorUnits(order.totalPrice) : 0);
  const open = money.filter(({ state }) => isOpen(state));
  return [
    line('payments that have not ended', open.length, 0),
    line('orders whose money is not as they say', money.filter((each) => each.net !== due(each)).length, 0),
    {
      what: "provider's net takings",
      found: pounds(sum(money.map(({ net }) => net))),
      must: pounds(sum(money.map(due))),
    },
  ];
}

/** How the orders ended: no line to be right or wrong, but what a reader asks first. */
export function endsOf(orders: readonly OrderView[]): string {
  const counts = new Map<string, number>();
  for (const { status, reason } of orders) {
    const end = reason ? `${status} ${reason.code}` : status;
    counts.set(end, (counts.get(end) ?? 0) + 1);
  }
  return [...counts]
    .toSorted((a, b) => b[1] - a[1])
    .map(([end, count]) => `  ${number(count).padStart(7)}  ${end}`)
    .join('\n');
}

export function tableOf(lines: readonly Line[]): string {
  return lines
    .map((each) => {
      const { what, found, must } = each;
      return `${isRight(each) ? '✓' : '✗'} ${what.padEnd(44)} ${found.padStart(14)}${isRight(each) ? '' : `   must be ${must}`}`;
    })
    .join('\n');
}
