import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import request from 'supertest';
import { ownService, type OwnService } from './support.ts';

let service: OwnService;

beforeAll(async () => {
  service = await ownService();
});
afterAll(() => service.stop());

const json = 'application/json';
const one = (more: string) => `{"items":[{"id":"1",${more}}]}`;
const nested = `{"items":${'['.repeat(20_000)}${']'.repeat(20_000)}}`;

describe('a bad body is a problem document, stores nothing, and is never our failure', () => {
  it.each<[string, string, string, number, string]>([
    ['cut off', json, '{"items":', 400, 'MALFORMED_JSON'],
    ['no JSON', json, 'items', 400, 'MALFORMED_JSON'],
    ['a bare string', json, '"text"', 422, 'INVALID_INPUT'],
    ['null', json, 'null', 422, 'INVALID_INPUT'],
    ['a list', json, '[]', 422, 'INVALID_INPUT'],
    ['empty', json, '{}', 422, 'INVALID_INPUT'],
    ['other words', json, '{"order_products":[{"product_id":1}]}', 422, 'INVALID_INPUT'],
    ['no items', json, '{"items":[]}', 422, 'INVALID_INPUT'],
    ['items of the wrong type', json, '{"items":{"id":"1"}}', 422, 'INVALID_INPUT'],
    [
      '21 lines',
      json,
      JSON.stringify({ items: Array.from({ length: 21 }, (_, n) => ({ id: `${n}`, quantity: 1 })) }),
      422,
      'INVALID_INPUT',
    ],
    ...['0', '-1', '1.5', '101', '1e308', '1e999', '"1"', 'null', '[]'].map(
      (quantity): [string, string, string, number, string] => [
        `quantity ${quantity}`,
        json,
        one(`"quantity":${quantity}`),
        422,
        'INVALID_INPUT',
      ],
    ),
    ['three decimals', json, one('"quantity":1,"amount":10.555'), 422, 'INVALID_INPUT'],
    ['a null byte in the product', json, '{"productId":"1\\u0000","quantity":1}', 422, 'INVALID_INPUT'],
    [
      'a null byte in the customer',
      json,
      '{"customerId":"a\\u0000","productId":"1","quantity":1}',
      422,
      'INVALID_INPUT',
    ],
    ['half a character', json, '{"customerId":"\\ud800","productId":"1","quantity":1}', 422, 'INVALID_INPUT'],
    ['deep nesting', json, nested, 422, 'INVALID_INPUT'],
    ['an unknown product', json, '{"productId":"nothing","quantity":1}', 422, 'UNKNOWN_PRODUCT'],
    ['a product of a language', json, '{"productId":"__proto__","quantity":1}', 422, 'UNKNOWN_PRODUCT'],
    [
      'more than 100 kB',
      json,
      JSON.stringify({ productId: '1', quantity: 1, x: 'x'.repeat(110_000) }),
      413,
      'BODY_TOO_LARGE',
    ],
    ['no JSON by its type', 'text/plain', '{"productId":"1","quantity":1}', 415, 'UNSUPPORTED_MEDIA_TYPE'],
    ['a form', 'application/x-www-form-urlencoded', 'productId=1', 415, 'UNSUPPORTED_MEDIA_TYPE'],
  ])('%s', async (_what, type, body, status, code) => {
    const answer = await request(service.app).post('/orders').set('Content-Type', type).send(body);
    expect(answer.status).toBe(status);
    expect(answer.headers['content-type']).toContain('application/problem+json');
    expect(answer.body).toMatchObject({ code, status, title: expect.any(String) });
    if (status === 422) expect(answer.body.errors.length).toBeGreaterThan(0);
    const { rows } = await service.database.admin.query(
      'select (select count(*) from orders.purchase)::int + (select count(*) from orders.outbox)::int + (select count(*) from orders.customer)::int as stored',
    );
    expect(rows[0].stored).toBe(0);
  });

  it('no body at all', async () => {
    expect((await request(service.app).post('/orders')).status).toBe(415);
  });
});

describe('a bad address', () => {
  it.each([
    '/orders/abc',
    '/orders/01890000-0000-7000-8000-000000000000',
    '/orders/%00',
    "/orders/' or 1=1",
    '/nothing',
  ])('%s is 404', async (path) => {
    expect((await request(service.app).get(path)).status).toBe(404);
  });

  it('that is not even encoded rightly is 400', async () => {
    const answer = await request(service.app).get('/orders/%E0%A4%A');
    expect(answer.status).toBe(400);
    expect(answer.body.code).toBe('MALFORMED_REQUEST');
  });

  it('with a method it does not know is 405', async () => {
    const answer = await request(service.app).delete('/orders/abc');
    expect(answer.status).toBe(405);
    expect(answer.headers['allow']).toBe('GET');
  });
});
