import { expect, test } from '@jest/globals';
import { cursorAfter, newProduct, pageQuery, productBody, productChange } from '../product-schemas.ts';

const priceOf = (price: unknown) => newProduct.safeParse({ name: 'show', price, stock: 1 }).data?.price;

test('a price with two decimals becomes exact minor units and comes back the same', () => {
  for (let pence = 1; pence <= 1_000_000; pence += 37) {
    expect(priceOf(pence / 100)).toBe(pence);
    expect(Number((pence / 100).toFixed(2))).toBe(shown(pence));
  }
  expect(priceOf(10_000)).toBe(1_000_000);
});

const shown = (price: number) =>
  productBody({ id: '1', name: 'show', price, currency: 'GBP', capacity: 1, available: 1, held: 0, sold: 0 }).price;

test.each([0, -1, 0.001, 10.005, 199.999, 1e-9, 10_000.01, 1e300, NaN, Infinity, '5', null, undefined, [5], true])(
  'a price of %p is refused',
  (price) => expect(priceOf(price)).toBeUndefined(),
);

test.each(['', ' ', 'a\u0000b', 'a\nb', '\ud800', 'x'.repeat(201), 5, null])('the name %j is refused', (name) => {
  expect(newProduct.safeParse({ name, price: 1, stock: 1 }).success).toBe(false);
});

test.each(['', 'a b', 'a/b', '.', '..', '...', '\u0000', 'é', 'x'.repeat(65)])('the id %j is refused', (id) => {
  expect(newProduct.safeParse({ id, name: 'show', price: 1, stock: 1 }).success).toBe(false);
});

test('a change must name something it can change, and only that', () => {
  expect(productChange.safeParse({}).success).toBe(false);
  expect(productChange.safeParse({ capacity: 5 }).success).toBe(false);
  expect(productChange.parse({ stock: 0 })).toEqual({ stock: 0 });
});

test('a cursor leads back to the id it was made of, and anything else is refused', () => {
  expect(pageQuery.parse({ cursor: cursorAfter('front-row') })).toEqual({ cursor: 'front-row', limit: 20 });
  for (const cursor of ['', '!!', 'AAAA', 'ÿ'])
    expect(pageQuery.safeParse({ cursor }).error?.issues[0]?.path).toEqual(['cursor']);
  for (const limit of ['0', '101', '1.5', 'x']) expect(pageQuery.safeParse({ limit }).success).toBe(false);
});
