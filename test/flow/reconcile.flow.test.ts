import { afterAll, describe, expect, it } from '@jest/globals';
import { play } from '../../tools/play.ts';
import { scenarios } from '../../tools/scenarios.ts';
import { eventually } from '../support/eventually.ts';
import { cancelInstance, reconcile, settled } from '../support/reconcile.ts';
import { query, shop } from '../support/system.ts';

afterAll(() => shop.close());

const processOf = async (id: string) => {
  const [found] = await query<{ key: string }>(
    'select process_instance_key as key from orchestration.started_process where order_id = $1',
    [id],
  );
  return found?.key;
};

const waiting = (id: string) =>
  eventually('the order awaits its payment', async () => (await shop.order(id)).status === 'AWAITING_PAYMENT', {
    withinMs: 60_000,
  });
describe('The reconciliation of the running shop', () => {
  it('finds nothing wrong with orders that ended, or wait, in every way', async () => {
    const ways = [
      'tok_approve',
      'tok_decline',
      'tok_never',
      'tok_late, reinstated',
      'tok_late, cancelled: the money goes back',
      'cancelled while the payment is awaited',
      'aborted by an operator',
      'sold out',
      'tok_manual, approved by hand over Kafka',
    ];
    const chosen = scenarios.filter(({ name }) => ways.includes(name));
    expect(chosen).toHaveLength(ways.length);
    const [played, open] = await Promise.all([
      Promise.all(chosen.map((scenario) => play(scenario, shop))),
      shop.place({ items: [{ id: '1', quantity: 1 }], payment: { token: 'tok_manual' } }),
    ]);
    // How they end is asserted elsewhere; here it only matters that they have.
    expect(played.map(({ order }) => order.finished)).toEqual(chosen.map(() => true));
    await waiting(open.id);
    const all = [...played.map(({ order }) => order.id), open.id];
    for (const id of all) await settled(id);
    expect((await reconcile(all)).mismatches).toEqual([]);
    await shop.cancel(open.id);
  }, 300_000);

  it('finds an order whose process was cancelled in Operate, and has it undone by the ordinary steps', async () => {
    const { id } = await shop.place({ items: [{ id: '1', quantity: 1 }], payment: { token: 'tok_manual' } });
    await waiting(id);
    await cancelInstance(String(await eventually('its process is known', () => processOf(id))));
    await settled(id);

    const looked = await reconcile([id]);
    expect(looked).toMatchObject({
      code: 1,
      mismatches: [{ kind: 'order-without-process', subject: id, outcome: null }],
    });
    expect(await shop.order(id)).toMatchObject({ status: 'AWAITING_PAYMENT' });

    const { mismatches } = await reconcile([id], '--repair');
    expect(mismatches).toMatchObject([{ kind: 'order-without-process', outcome: 'done' }]);
    const ended = await eventually('the order has ended', async () => {
      const order = await shop.order(id);
      return order.finished && order;
    });
    expect(ended).toMatchObject({
      status: 'CANCELLED',
      reason: { code: 'ABORTED_BY_OPERATOR' },
      payment: { state: 'VOIDED' },
    });
    expect(ended.history.map(({ state }) => state)).toContain('RESERVE_RELEASED');
    await settled(id);
    expect((await reconcile([id])).mismatches).toEqual([]);
    const acts = await query(
      `select operator, action, reason, outcome from orchestration.operator_action where order_id = $1`,
      [id],
    );
    expect(acts).toEqual([{ operator: 'techlead', action: 'repair', reason: 'a test', outcome: 'done' }]);
  }, 300_000);

  it('finds tickets that are still held and money that is still kept for an order that has ended, and undoes it once more', async () => {
    const { id } = await shop.place({ items: [{ id: '1', quantity: 2 }], payment: { token: 'tok_slow:1' } });
    await eventually('the order is confirmed', async () => (await shop.order(id)).status === 'CONFIRMED', {
      withinMs: 60_000,
    });
    // What a lost undo would leave behind.
    await query(`update orders.purchase set status = 'CANCELLED', reason_code = 'ABORTED_BY_OPERATOR' where id = $1`, [
      id,
    ]);
    await query(`delete from orders.ticket where order_id = $1`, [id]);
    await settled(id);
    const { mismatches } = await reconcile([id], '--repair');
    // One repair puts both right.
    expect(mismatches.map(({ kind, outcome }) => `${kind} ${outcome}`)).toEqual([
      'sold-for-ended-order done',
      'money-kept not-needed',
    ]);
    await eventually('the money is back', async () => (await shop.order(id)).payment?.state === 'REFUNDED', {
      withinMs: 60_000,
    });
    await eventually('the tickets are free', async () => {
      const rows = await query(`select from inventory.reservation where order_id = $1 and state = 'RELEASED'`, [id]);
      return rows.length > 0;
    });
    await settled(id);
    expect((await reconcile([id])).mismatches).toEqual([]);
    expect(await shop.order(id)).toMatchObject({ status: 'CANCELLED' });
  }, 300_000);

  it('starts an order that never came to the engine', async () => {
    const like = await shop.place({ items: [{ id: '1', quantity: 1 }], payment: { token: 'tok_approve' } });
    const [lost] = await query<{ id: string }>(
      `insert into orders.purchase (id, customer_id, items, total_price, currency, payment_token, updated_at)
       select gen_random_uuid(), customer_id, items, total_price, currency, payment_token, now() - interval '1 hour'
       from orders.purchase where id = $1 returning id`,
      [like.id],
    );
    const id = String(lost?.id);
    const { mismatches } = await reconcile([id], '--repair');
    expect(mismatches).toMatchObject([{ kind: 'order-never-started', outcome: 'done' }]);
    await eventually('the order is confirmed', async () => (await shop.order(id)).status === 'CONFIRMED', {
      withinMs: 60_000,
    });
  }, 300_000);
});
