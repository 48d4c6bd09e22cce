import { afterAll, expect, it } from '@jest/globals';
import { eventually } from '../support/eventually.ts';
import { isReady, part, pidOf, shop } from '../support/system.ts';

afterAll(() => shop.close());

const copies = ['inventory-service-2', 'payment-service-2', 'order-service-2', 'orchestrator-2'];

it.each(copies)(
  '%s runs beside the first, and is brought back when it was killed',
  async (copy) => {
    const before = await pidOf(copy);
    expect(before).not.toBe(await pidOf(copy.slice(0, -2)));
    await part(copy, 'kill');
    await eventually(
      `${copy} is back`,
      async () => {
        const now = await pidOf(copy);
        return now !== undefined && now !== before && (await isReady(copy));
      },
      { withinMs: 60_000 },
    );
  },
  90_000,
);

it('either of two order-services shows what the other has taken', async () => {
  const { id } = await shop.place({ items: [{ id: '1', quantity: 1 }], payment: { token: 'tok_approve' } });
  const url = `${process.env['ORDER_COPY_URL']}/orders/${id}`;
  await eventually('the order is confirmed at the other', async () => {
    const answer = await shop.call('GET', url, undefined, shop.operatorHeaders);
    return (answer.body as { status?: string }).status === 'CONFIRMED';
  });
}, 60_000);
