import { afterAll, expect, it } from '@jest/globals';
import { orderView } from '../../tools/shop.ts';
import { shop } from '../support/system.ts';

afterAll(() => shop.close());

/** Reads a server-sent event stream to its end. */
async function readStream(url: string, headers: Record<string, string> = {}) {
  const response = await fetch(url, { headers });
  expect(response.headers.get('content-type')).toMatch('text/event-stream');
  expect(response.headers.get('content-encoding')).toBeNull();
  const text = await response.text();
  return text
    .split('\n\n')
    .map((block) => ({ id: /^id: ?(.*)$/m.exec(block)?.[1], data: /^data: ?(.*)$/m.exec(block)?.[1] }))
    .flatMap(({ id, data }) =>
      data === undefined ? [] : [{ id: Number(id), order: orderView.parse(JSON.parse(data)) }],
    );
}

it('tells an order from its beginning to its end, with growing ids, and then closes', async () => {
  const { id } = await shop.place({ items: [{ id: '1', quantity: 1 }], payment: { token: 'tok_slow:1' } });
  const events = await readStream(`${shop.urls.order}/orders/${id}/events`);
  const ids = events.map((event) => event.id);
  expect(ids).toEqual([...new Set(ids)].toSorted((a, b) => a - b));
  expect(events.length).toBeGreaterThan(3);
  expect(events.map(({ order }) => order.status)).toContain('AWAITING_PAYMENT');
  expect(events.at(-1)?.order).toMatchObject({ status: 'CONFIRMED', finished: true });
}, 60_000);
