import { afterAll, expect, it } from '@jest/globals';
import { startVariables } from '../../contract/jobs.ts';
import { eventually } from '../support/eventually.ts';
import { query, shop } from '../support/system.ts';

afterAll(() => shop.close());

it('a second process instance for the same order changes nothing', async () => {
  const product = await shop.addProduct(5);
  const { id } = await shop.place({ items: [{ id: product.id, quantity: 1 }], payment: { token: 'tok_manual' } });
  await eventually('the order awaits its payment', async () => (await shop.order(id)).status === 'AWAITING_PAYMENT');
  const before = await shop.order(id);

  const second = await shop.engine.startProcess(
    'ticket-order',
    startVariables.parse({
      orderId: id,
      items: [{ productId: product.id, quantity: 1, unitPrice: 1000 }],
      paymentDeadline: 'PT15M',
      startBy: new Date(Date.now() + 60_000).toISOString(),
      paymentToken: null,
    }),
  );
  await eventually('the second instance has been refused', async () => {
    const told = await query(
      `select 1 from inventory.outbox where value::jsonb ->> 'processInstanceKey' = $1 and value::jsonb -> 'error' ->> 'code' = 'DUPLICATE_PROCESS'`,
      [second.processInstanceKey],
    );
    return told.length > 0;
  });

  expect(await shop.product(product.id)).toMatchObject({ available: 4, held: 1 });
  await shop.decideAtProvider(id, 'APPROVED');
  const after = await eventually('the order has ended', async () => {
    const order = await shop.order(id);
    return order.finished && order;
  });
  expect(after).toMatchObject({ status: 'CONFIRMED' });
  expect(after.history.filter(({ state }) => state === 'RESERVE_CREATED')).toHaveLength(1);
  expect(after.history.map(({ state }) => state)).not.toContain('RESERVE_FAILED');
  expect(after.steps.map(({ id: step }) => step)).toEqual(
    expect.arrayContaining(before.steps.map(({ id: step }) => step)),
  );
  expect(await shop.product(product.id)).toMatchObject({ available: 4, held: 0, sold: 1 });
}, 60_000);

it('the same Kafka message again starts no second order', async () => {
  const { id } = await shop.place({ productId: '1', quantity: 1 });
  await eventually('the order has ended', async () => (await shop.order(id)).finished);
  const [sent] = await query<{ value: string }>('select value from orders.outbox where key = $1', [id]);
  await shop.send('created-orders', id, sent?.value ?? '');
  const { id: next } = await shop.place({ productId: '1', quantity: 1 });
  await eventually('a later order has ended', async () => (await shop.order(next)).finished);
  const processes = await query('select * from orchestration.started_process where order_id = $1', [id]);
  expect(processes).toHaveLength(1);
  expect(await query('select * from orders.ticket where order_id = $1', [id])).toHaveLength(1);
}, 60_000);
