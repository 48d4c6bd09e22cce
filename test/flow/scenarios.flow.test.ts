import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { play } from '../../tools/play.ts';
import { scenarios } from '../../tools/scenarios.ts';
import { eventually } from '../support/eventually.ts';
import { brokenStock, query, shop } from '../support/system.ts';

// All at once, as in a shop: the paths must not depend on one another.
const results = new Map<string, Awaited<ReturnType<typeof play>> | Error>();

beforeAll(async () => {
  await Promise.all(
    scenarios.map(async (scenario) => {
      results.set(scenario.name, await play(scenario, shop).catch((error: unknown) => new Error(String(error))));
    }),
  );
}, 120_000);
afterAll(() => shop.close());

describe('An order', () => {
  it.each(scenarios.map((scenario) => ({ scenario, name: scenario.name, status: scenario.ends.status })))(
    'ends $status: $name',
    ({ name }) => {
      const result = results.get(name);
      if (result instanceof Error || result === undefined) throw result ?? new Error('was not played');
      expect({ problem: result.problem, order: result.problem ? result.order : undefined }).toEqual({});
    },
  );

  it('has one ticket code for each unit when it is confirmed, and none otherwise', () => {
    for (const result of results.values()) {
      if (result instanceof Error) continue;
      const units = (result.order['items'] as { quantity: number }[]).reduce((sum, item) => sum + item.quantity, 0);
      expect(result.order.tickets).toHaveLength(result.order.status === 'CONFIRMED' ? units : 0);
    }
  });

  it('shows its undone steps as rolled back', () => {
    const declined = results.get('tok_decline');
    if (!declined || declined instanceof Error) throw new Error('was not played');
    expect(declined.order.steps).toEqual(
      expect.arrayContaining([
        expect.objectContaining({ id: 'ReserveTickets', state: 'ROLLED_BACK' }),
        expect.objectContaining({ id: 'ReleaseTickets', state: 'COMPLETED' }),
      ]),
    );
  });

  it('shows the wait for the payment as a step of its own', () => {
    const slow = results.get('tok_slow');
    if (!slow || slow instanceof Error) throw new Error('was not played');
    const wait = slow.order.steps.find((step) => step.id === 'WaitForPayment');
    const ms = Date.parse(String(wait?.['completedAt'])) - Date.parse(String(wait?.['waitingSince']));
    expect(ms).toBeGreaterThan(1_000);
  });
});

describe('When all orders have ended', () => {
  it('the stock adds up and nothing stays held', async () => {
    expect(await brokenStock()).toEqual([]);
    await eventually('no ticket is held', async () => {
      const held = await query("select * from inventory.reservation where state = 'HELD'");
      return held.length === 0;
    });
  });

  it("the provider's books say of each confirmed order that it is paid, and of no other that the money was kept", async () => {
    const wrong = await query(`
      select o.id, o.status, b.status as books, b.refunded_amount
      from orders.purchase o join payments.payment p on p.order_id = o.id join provider.payment b on b.reference = p.id::text
      where o.status in ('CONFIRMED', 'PAYMENT_NOT_COMPLETED', 'CANCELLED') and p.state <> 'LATE' and p.source = 'provider'
        and (o.status = 'CONFIRMED') <> (b.status = 'APPROVED' and b.refunded_amount = 0)`);
    expect(wrong).toEqual([]);
  });

  it('no event is left in an outbox', async () => {
    await eventually('the outboxes are empty', async () => {
      const waiting = await query(
        ['orders', 'inventory', 'payments', 'orchestration']
          .map((schema) => `select id from ${schema}.outbox where published_at is null`)
          .join(' union all '),
      );
      return waiting.length === 0;
    });
  });
});
