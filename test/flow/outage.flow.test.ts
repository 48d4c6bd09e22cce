import { afterAll, describe, expect, it } from '@jest/globals';
import { eventually } from '../support/eventually.ts';
import { brokenStock, part, shop } from '../support/system.ts';

afterAll(() => shop.close());

const buyOne = { items: [{ id: '1', quantity: 1 }], payment: { token: 'tok_approve' } };

async function allConfirmed(ids: string[], withinMs = 90_000): Promise<void> {
  for (const id of ids) {
    const order = await eventually(
      `order ${id} has ended`,
      async () => {
        const now = await shop.order(id);
        return now.finished && now;
      },
      { withinMs, everyMs: 250 },
    );
    expect(order).toMatchObject({ status: 'CONFIRMED' });
  }
  expect(await brokenStock()).toEqual([]);
}

const readiness = async (url: string) => (await shop.call('GET', `${url}/health/ready`)).status;
const services = () => [shop.urls.order, shop.urls.inventory, shop.urls.payment];
const allReady = () =>
  eventually(
    'all services are ready again',
    async () => (await Promise.all(services().map(readiness))).every((status) => status === 200),
    { withinMs: 60_000, everyMs: 250 },
  );

/** Kafka away, and each part dying by itself under a stream of orders: `test/faults/everything-dies`. */
describe('Orders are taken and finish later', () => {
  it('when the engine is down while they are posted', async () => {
    await part('camunda', 'stop');
    const placed = await Promise.all(Array.from({ length: 10 }, () => shop.place(buyOne)));
    await eventually(
      'inventory-service says that it is not ready',
      async () => (await readiness(shop.urls.inventory)) === 503,
      { withinMs: 60_000 },
    );
    expect(await shop.order(placed[0]?.id ?? '')).toMatchObject({ status: 'PENDING', stage: 'Scheduling' });
    await part('camunda', 'start');
    await allConfirmed(placed.map(({ id }) => id));
    await allReady();
  }, 180_000);

  it('when all services are killed in the middle of them', async () => {
    const placed = await Promise.all(Array.from({ length: 10 }, () => shop.place(buyOne)));
    for (const name of ['inventory-service', 'payment-service', 'order-service', 'orchestrator'])
      await part(name, 'kill');
    await allReady();
    await allConfirmed(placed.map(({ id }) => id));
  }, 180_000);
});

describe('PostgreSQL away', () => {
  it('is a 503 that says so, and the orders on their way finish when it is back', async () => {
    const slow = await Promise.all(
      Array.from({ length: 5 }, () =>
        shop.place({ items: [{ id: '1', quantity: 1 }], payment: { token: 'tok_slow:3' } }),
      ),
    );
    await part('postgres', 'stop');
    const answer = await shop.call('POST', `${shop.urls.order}/orders`, buyOne);
    expect(answer).toMatchObject({ status: 503, body: { code: 'DEPENDENCY_UNAVAILABLE' } });
    await eventually(
      'order-service says that it is not ready',
      async () => (await readiness(shop.urls.order)) === 503,
      { withinMs: 30_000 },
    );
    await part('postgres', 'start');
    await allReady();
    await allConfirmed(slow.map(({ id }) => id));
  }, 180_000);
});
