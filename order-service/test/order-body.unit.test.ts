import { describe, expect, it } from '@jest/globals';
import { fieldErrors } from '@ticket-saga/runtime/problem';
import { orderBody, orderBodyExamples } from '../order-body.ts';

const schema = orderBody('PT15M');
const parse = (body: unknown) => schema.parse(body);
const complaints = (body: unknown) => {
  const parsed = schema.safeParse(body);
  return parsed.success ? [] : fieldErrors(parsed.error).map((error) => error.path);
};
const item = (more: object = {}) => ({ items: [{ id: '1', quantity: 1, ...more }] });

describe('a body that is taken', () => {
  it('is short or long, and both come to the same lines', () => {
    expect(parse({ productId: '1', quantity: 2 }).lines).toMatchObject([{ productId: '1', quantity: 2 }]);
    expect(parse({ items: [{ id: '1', quantity: 2 }] }).lines).toMatchObject([{ productId: '1', quantity: 2 }]);
  });

  it('may hold fields that we do not know', () => {
    expect(complaints({ ...item({ colour: 'red' }), source: 'web', __proto__: 1 })).toEqual([]);
  });

  it('has seen prices in minor units, also where the float is not exact', () => {
    const prices = [0.07, 1.1, 19.99, 200, 10000.01, 19_999_999.99];
    expect(prices.map((amount) => parse(item({ amount })).lines[0]?.seenPrice)).toEqual([
      7, 110, 1999, 20000, 1000001, 1999999999,
    ]);
  });

  it('has its deadline in seconds, however it was written', () => {
    const deadline = (text: string) => parse({ ...item(), payment: { deadline: text } }).paymentDeadline;
    expect(['PT15M', 'PT1M30S', 'PT0.5S', 'PT900S'].map(deadline)).toEqual(['PT900S', 'PT90S', 'PT0.5S', 'PT900S']);
  });

  it('merges lines of one product, and remembers the price seen on any of them', () => {
    const body = {
      items: [
        { id: '1', quantity: 60 },
        { id: '2', quantity: 1 },
        { id: '1', quantity: 40, amount: 5 },
      ],
    };
    expect(parse(body).lines).toMatchObject([
      { productId: '1', quantity: 100, seenPrice: 500 },
      { productId: '2', quantity: 1 },
    ]);
  });
});

describe('two bodies', () => {
  const hash = (body: unknown) => parse(body).hash;

  it('that differ in the order of their keys and in who orders are the same', () => {
    expect(hash({ quantity: 1, productId: '1', customerId: 'a' })).toBe(hash({ productId: '1', quantity: 1 }));
  });

  it.each([
    [{ productId: '1', quantity: 2 }],
    [{ productId: '2', quantity: 1 }],
    [{ productId: '1', quantity: 1, amount: 5 }],
    [{ productId: '1', quantity: 1, payment: { token: 'tok_never' } }],
    [{ productId: '1', quantity: 1, payment: { deadline: 'PT1M' } }],
  ])('that ask for something else are different: %j', (other) => {
    expect(hash(other)).not.toBe(hash({ productId: '1', quantity: 1 }));
  });
});

describe('a body that is refused names each field', () => {
  it.each<[unknown, string[]]>([
    [{}, ['items']],
    [{ order_products: [] }, ['items']],
    [{ items: [] }, ['items']],
    [{ items: 'many' }, ['items']],
    [{ items: Array.from({ length: 21 }, (_, at) => ({ id: `p${at}`, quantity: 1 })) }, ['items']],
    [{ productId: '1' }, ['quantity']],
    [{ quantity: 1 }, ['items']],
    [{ ...item(), productId: '1', quantity: 2 }, ['productId', 'quantity']],
    [[item()], ['body']],
    [null, ['body']],
    ['text', ['body']],
    [{ items: [{ quantity: 1 }] }, ['items[0].id']],
    [{ items: [{ id: '', quantity: 1 }] }, ['items[0].id', 'items[0].id']],
    [{ items: [{ id: '..', quantity: 1 }] }, ['items[0].id']],
    [{ items: [{ id: 'a/b', quantity: 1 }] }, ['items[0].id']],
    [{ items: [{ id: 'a\u0000', quantity: 1 }] }, ['items[0].id']],
    [{ items: [{ id: '\ud800', quantity: 1 }] }, ['items[0].id']],
    [{ items: [{ id: 'x'.repeat(65), quantity: 1 }] }, ['items[0].id']],
    [{ items: [{ id: -1, quantity: 1 }] }, ['items[0].id']],
    [{ items: [{ id: 1.5, quantity: 1 }] }, ['items[0].id']],
    [{ items: [{ id: ['1'], quantity: 1 }] }, ['items[0].id']],
    ...[0, -1, 1.5, 101, 1e308, '1', null, true, NaN, Infinity].map((quantity): [unknown, string[]] => [
      item({ quantity }),
      ['items[0].quantity'],
    ]),
    ...[-0.01, 0.001, 10.555, 1e-9, 1e300, 20_000_001, '10', {}].map((amount): [unknown, string[]] => [
      item({ amount }),
      ['items[0].amount'],
    ]),
    [{ ...item(), amount: 10.505 }, ['amount']],
    [{ ...item(), amount: 'ten' }, ['amount']],
    [item({ name: 5 }), ['items[0].name']],
    [{ ...item(), customerId: '' }, ['customerId']],
    [{ ...item(), customerId: 'a\u0000b' }, ['customerId']],
    [{ ...item(), customerId: '\udfff' }, ['customerId']],
    [{ ...item(), customerId: {} }, ['customerId']],
    [{ ...item(), payment: 'tok_approve' }, ['payment']],
    [{ ...item(), payment: { token: 'has blank' } }, ['payment.token']],
    [{ ...item(), payment: { token: 'x'.repeat(101) } }, ['payment.token']],
    [{ ...item(), payment: { deadline: 'soon' } }, ['payment.deadline']],
    [{ ...item(), payment: { deadline: 'PT0S' } }, ['payment.deadline']],
    [{ ...item(), payment: { deadline: '-PT5M' } }, ['payment.deadline']],
    [{ ...item(), payment: { deadline: 'PT15M1S' } }, ['payment.deadline']],
    [{ ...item(), payment: { deadline: 'P1Y' } }, ['payment.deadline']],
    [{ ...item(), payment: { deadline: 900 } }, ['payment.deadline']],
    [
      {
        items: [
          { id: '1', quantity: 60 },
          { id: '1', quantity: 41 },
        ],
      },
      ['items[1].quantity'],
    ],
    [
      {
        items: [
          { id: '1', quantity: 1, amount: 5 },
          { id: '1', quantity: 1, amount: 6 },
        ],
      },
      ['items[1].amount'],
    ],
  ])('%j', (body, paths) => {
    expect([...new Set(complaints(body))].toSorted()).toEqual([...new Set(paths)].toSorted());
  });
});

describe('a deadline that is refused', () => {
  it.each([
    ['soon', 'must be an ISO 8601 duration such as PT10M'],
    ['PT0S', 'must be longer than nothing'],
    ['PT15M1S', "must not be longer than PT15M, the shop's own"],
    ['PT99999999999999999999999S', "must not be longer than PT15M, the shop's own"],
  ])('%s is told one thing that is wrong with it', (deadline, message) => {
    const parsed = schema.safeParse({ ...item(), payment: { deadline } });
    expect(parsed.error?.issues.map((issue) => issue.message)).toEqual([message]);
  });
});

describe('the examples in the Swagger UI', () => {
  it.each(Object.entries(orderBodyExamples))('%s can be ordered as it stands', (_name, example) => {
    expect(orderBody('PT15M').safeParse(example).success).toBe(true);
  });
});
