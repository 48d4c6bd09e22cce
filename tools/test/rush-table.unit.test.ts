import { describe, expect, it } from '@jest/globals';
import type { Money } from '../books.ts';
import { isRight, moneyLines, stockLines } from '../rush-table.ts';
import { orderView, type ProductView } from '../shop.ts';

let count = 0;
function order(status: string, over: object = {}) {
  count += 1;
  return orderView.parse({
    id: `order-${count}`,
    customerId: 'rush',
    items: [{ id: 'p', quantity: 2 }],
    totalPrice: 24.68,
    status,
    reason: null,
    stage: 'Completed',
    currentStep: null,
    finished: true,
    payBy: null,
    payment: null,
    tickets: status === 'CONFIRMED' ? [1, 2].map((unit) => ({ code: `${count}-${unit}`, productId: 'p' })) : [],
    steps: [],
    history: [],
    ...over,
  });
}
const product = (over: Partial<ProductView> = {}): ProductView => ({
  id: 'p',
  price: 12.34,
  capacity: 10,
  available: 8,
  held: 0,
  sold: 2,
  ...over,
});
const money = (status: string, net: number, state: string | undefined): Money => ({
  order: order(status),
  paymentId: 'x',
  state,
  net,
});
const off = (lines: ReturnType<typeof moneyLines>) => lines.filter((line) => !isRight(line)).map(({ what }) => what);

describe('The table of a rush', () => {
  it('is right when all adds up', () => {
    expect(off(stockLines(product(), [order('CONFIRMED'), order('REJECTED')]))).toEqual([]);
    expect(off(moneyLines([money('CONFIRMED', 2468, 'APPROVED'), money('CANCELLED', 0, 'REFUNDED')]))).toEqual([]);
  });

  it('shows a ticket that is held for nobody', () => {
    expect(off(stockLines(product({ available: 7, held: 1 }), [order('CONFIRMED')]))).toEqual(['tickets held']);
  });

  it('shows a ticket that is sold to nobody, and a code that was handed out twice', () => {
    expect(off(stockLines(product({ available: 7, sold: 3 }), [order('CONFIRMED')]))).toContain('tickets sold');
    const twice = order('CONFIRMED', { tickets: ['a', 'a'].map((code) => ({ code, productId: 'p' })) });
    expect(off(stockLines(product(), [twice]))).toEqual(['ticket codes handed out, each once']);
  });

  it('shows an order that is still on its way, and stock that does not add up', () => {
    expect(off(stockLines(product({ available: 9 }), [order('CONFIRMED'), order('PENDING')]))).toEqual([
      'orders that have not ended',
      'tickets free, held and sold together',
    ]);
  });

  it('shows a penny too much, and money kept for a cancelled order', () => {
    const wrong = ['orders whose money is not as they say', "provider's net takings"];
    expect(off(moneyLines([money('CONFIRMED', 2469, 'APPROVED')]))).toEqual(wrong);
    expect(off(moneyLines([money('CANCELLED', 2468, 'VOIDED')]))).toEqual(wrong);
  });

  it('shows two mistakes that cancel each other out', () => {
    const both = [money('CONFIRMED', 0, 'APPROVED'), money('CANCELLED', 2468, 'REFUNDED')];
    expect(off(moneyLines(both))).toEqual(['orders whose money is not as they say']);
  });
});
