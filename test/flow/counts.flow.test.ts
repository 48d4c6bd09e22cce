import { afterAll, expect, it } from '@jest/globals';
import { eventually } from '../support/eventually.ts';
import { query, shop } from '../support/system.ts';

afterAll(() => shop.close());

it('a confirmed order costs this many events in the outboxes, and no more', async () => {
  const { id } = await shop.place({ items: [{ id: '1', quantity: 1 }], payment: { token: 'tok_approve' } });
  await eventually('the order has ended', async () => (await shop.order(id)).finished);
  const rows = await eventually('all its events are sent', async () => {
    const all = await query<{ topic: string; waiting: string; count: string }>(
      `select topic, count(*) as count, count(*) filter (where published_at is null) as waiting from (
         ${['orders', 'inventory', 'payments', 'orchestration'].map((schema) => `select topic, key, published_at from ${schema}.outbox`).join(' union all ')}
       ) as o where key = $1 group by topic order by topic`,
      [id],
    );
    return all.every(({ waiting }) => waiting === '0') && all;
  });
  expect(Object.fromEntries(rows.map(({ topic, count }) => [topic, Number(count)]))).toEqual({
    'created-orders': 1,
    // OrderPlaced, ReserveTickets, RequestPayment, the approval, ConfirmTickets; order-service keeps its own steps itself
    'order-steps': 5,
    'payment-event': 1,
  });
}, 60_000);
