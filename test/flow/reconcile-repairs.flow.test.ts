/** Repairs on the running shop of what no lost process explains: seeded by SQL, named, repaired as named, and gone. */
import { randomUUID } from 'node:crypto';
import { afterAll, describe, expect, it } from '@jest/globals';
import { openOperations, operationsSettings } from '../../tools/operations.ts';
import { eventually } from '../support/eventually.ts';
import { cancelInstance, command, onEngine, reconcile, settled } from '../support/reconcile.ts';
import { brokenStock, part, query, shop } from '../support/system.ts';

afterAll(() => shop.close());

const patience = { withinMs: 90_000 };
const until = (id: string, status: string) =>
  eventually(`the order is ${status}`, async () => (await shop.order(id)).status === status, patience);
async function bought(productId: string, quantity = 2, token = 'tok_approve'): Promise<string> {
  const { id } = await shop.place({ items: [{ id: productId, quantity }], payment: { token } });
  await until(id, 'CONFIRMED');
  await settled(id);
  return id;
}
/** Tickets that are sold, or held, without their order's doing. */
const move = (productId: string, of: 'sold' | 'held', by: number) =>
  query(`update inventory.product set ${of} = ${of} + $2, available = available - $2 where id = $1`, [productId, by]);
/** The provider has never heard of the order's payment. */
async function forgetAtProvider(orderId: string): Promise<void> {
  const ours = `select b.id from provider.payment b join payments.payment p on b.reference = p.id::text where p.order_id = $1`;
  await query(`delete from provider.webhook where payment_id in (${ours})`, [orderId]);
  await query(`delete from provider.decision where payment_id in (${ours})`, [orderId]);
  await query(`delete from provider.payment where id in (${ours})`, [orderId]);
}
const insertAtProvider = (reference: string) =>
  query(
    `insert into provider.payment (id, reference, amount, currency, status, approved_amount, updated_at)
     values (gen_random_uuid(), $1, 500, 'GBP', 'APPROVED', 500, now() - interval '1 hour')`,
    [reference],
  );
const atProvider = async (reference: string) =>
  (
    await query<{ status: string; kept: number }>(
      `select status, coalesce(approved_amount, 0) - refunded_amount as kept from provider.payment where reference = $1`,
      [reference],
    )
  )[0];
const paymentOf = async (orderId: string) =>
  String((await query<{ id: string }>(`select id from payments.payment where order_id = $1`, [orderId]))[0]?.id);

type Named = Awaited<ReturnType<typeof reconcile>>;
const told = ({ mismatches }: Named) =>
  mismatches.map(({ kind, subject, outcome }) => `${kind} ${subject} ${outcome}`).toSorted();
const having = (outcome: string | null, found: [string, string][]) =>
  found.map(([kind, subject]) => `${kind} ${subject} ${outcome}`).toSorted();

/** Dry run, a run that names nothing, one that names all of it. */
async function repairWhenNamed(found: [string, string][], subjects: string[]): Promise<void> {
  expect(told(await reconcile(subjects, '--dry-run', '--repair'))).toEqual(having(null, found));
  expect(told(await reconcile(subjects, '--repair'))).toEqual(having(null, found));
  const named = [...new Set(found.map(([kind]) => kind))].flatMap((kind) => ['--kind', kind]);
  expect(told(await reconcile(subjects, '--repair', ...named))).toEqual(having('done', found));
}

describe('The reconciliation of the running shop', () => {
  it('has confirmed orders refunded that lack their tickets or their money, where it is told to', async () => {
    const product = await shop.addProduct(20);
    const ids = await Promise.all([1, 2, 3, 4].map(() => bought(product.id)));
    const [without = '', fewer = '', back = '', unpaid = ''] = ids;
    await query(`update inventory.reservation set state = 'RELEASED', released_at = now() where id = $1`, [without]);
    await query(`update inventory.reservation_line set quantity = 1 where reservation_id = $1`, [fewer]);
    await move(product.id, 'sold', -3);
    await query(`update payments.payment set state = 'REFUNDED' where order_id = $1`, [back]);
    await query(`update provider.payment set status = 'REFUNDED', refunded_amount = amount where reference = $1`, [
      await paymentOf(back),
    ]);
    await forgetAtProvider(unpaid);
    await query(`delete from payments.payment where order_id = $1`, [unpaid]);

    const words = await eventually('a run in words', async () => {
      const { code, stdout } = await command([]);
      return code === 1 && stdout;
    });
    expect(words).toContain('A dry run: nothing was changed.');
    expect(words).toMatch(/confirmed-not-paid [^]*Ask with: --repair --kind confirmed-not-paid --reason/);

    await repairWhenNamed(
      [
        ['confirmed-without-tickets', without],
        ['quantities-differ', fewer],
        ['confirmed-not-paid', back],
        ['confirmed-not-paid', unpaid],
      ],
      ids,
    );
    for (const id of ids) await until(id, 'REFUNDED');
    for (const id of ids) await settled(id);
    expect((await reconcile(ids)).mismatches).toEqual([]);
    expect(await shop.product(product.id)).toMatchObject({ available: 20, held: 0, sold: 0 });
    for (const id of [without, fewer])
      expect(await atProvider(await paymentOf(id))).toEqual({ status: 'REFUNDED', kept: 0 });
    const acts = await query(
      `select action, outcome, details ->> 'kind' as kind from orchestration.operator_action where order_id = $1 order by id`,
      [fewer],
    );
    expect(acts).toEqual([
      { action: 'refund-order', outcome: 'done', kind: null },
      { action: 'repair', outcome: 'done', kind: 'quantities-differ' },
    ]);
  }, 400_000);

  it('has a refund carried on whose process was cancelled, to the end that it was to have', async () => {
    const product = await shop.addProduct(5);
    const id = await bought(product.id);
    await part('payment-service', 'stop');
    try {
      await openOperations(operationsSettings()).refund({ orderId: id, reason: 'goodwill' });
      await until(id, 'COMPENSATING');
      const [row] = await query<{ key: string }>(`select refund_by as key from orders.purchase where id = $1`, [id]);
      await cancelInstance(String(row?.key));
    } finally {
      await part('payment-service', 'start');
    }
    await settled(id);
    const lost: [string, string][] = [['refund-without-process', id]];
    expect(told(await reconcile([id]))).toEqual(having(null, lost));
    expect(await shop.order(id)).toMatchObject({ status: 'COMPENSATING', payment: { state: 'APPROVED' } });
    expect(told(await reconcile([id], '--repair'))).toEqual(having('done', lost));
    await until(id, 'REFUNDED');
    await settled(id);
    expect((await reconcile([id])).mismatches).toEqual([]);
    expect(await shop.order(id)).toMatchObject({
      reason: { code: 'REFUNDED_BY_OPERATOR' },
      payment: { state: 'REFUNDED' },
      tickets: [],
    });
    expect(await shop.product(product.id)).toMatchObject({ available: 5, held: 0, sold: 0 });
    expect(await atProvider(await paymentOf(id))).toEqual({ status: 'REFUNDED', kept: 0 });
  }, 300_000);

  it('puts right tickets, codes, stock and processes that fit no order', async () => {
    const [product, off] = [await shop.addProduct(10), await shop.addProduct(5)];
    const [id, stray, nowhere] = [await bought(product.id), randomUUID(), randomUUID()];
    await query(`delete from orders.ticket where order_id = $1 and unit = 1`, [id]);
    await query(
      `insert into inventory.reservation (id, order_id, owner, state, total, pay_by, hold_until, updated_at)
       values ($1::text, $1::text::uuid, '97', 'HELD', 1000, now(), now() + interval '1 hour', now() - interval '1 hour')`,
      [stray],
    );
    await query(`insert into inventory.reservation_line values ($1, $2, 3, 1000)`, [stray, product.id]);
    await move(product.id, 'held', 3);
    await move(off.id, 'held', 1);
    // Waits for a payment that nobody asked for.
    const payBy = '2100-01-01T00:00:00.000Z';
    const key = await onEngine((engine) =>
      engine.startProcessAt('ticket-order', 'WaitForPayment', { orderId: nowhere, payBy, total: 1000 }),
    );
    const found: [string, string][] = [
      ['ticket-codes-off', id],
      ['tickets-without-order', stray],
      ['stock-off', off.id],
      ['process-without-order', key],
    ];
    const subjects = [id, stray, off.id, nowhere];
    await settled(id);
    await eventually(
      'Operate shows the process, too',
      async () => (await reconcile(subjects)).mismatches.length === 4,
      patience,
    );
    expect(told(await reconcile(subjects, '--repair'))).toEqual(having('done', found));
    expect((await shop.order(id)).tickets).toHaveLength(2);
    expect(await shop.product(product.id)).toMatchObject({ available: 8, held: 0, sold: 2 });
    expect(await shop.product(off.id)).toMatchObject({ available: 5, held: 0, sold: 0 });
    expect(await onEngine((engine) => engine.isAlive(key))).toBe(false);
    expect(await brokenStock()).toEqual([]);
    expect((await reconcile(subjects)).mismatches).toEqual([]);
  }, 400_000);

  it('settles the books with the provider where it is told to, and what that brings to light', async () => {
    const product = await shop.addProduct(10);
    const [stranger, paidFor, payment] = [randomUUID(), randomUUID(), randomUUID()];
    await insertAtProvider(stranger);
    await insertAtProvider(payment);
    await query(
      `insert into payments.payment (id, order_id, amount, state, accepted_at, updated_at)
       values ($1, $2, 500, 'APPROVED', now(), now() - interval '1 hour')`,
      [payment, paidFor],
    );
    const unknown = await bought(product.id);
    await forgetAtProvider(unknown);
    const { id: cancelled } = await shop.place({
      items: [{ id: product.id, quantity: 1 }],
      payment: { token: 'tok_manual' },
    });
    await until(cancelled, 'AWAITING_PAYMENT');
    await shop.cancel(cancelled);
    await until(cancelled, 'CANCELLED');
    // Another amount, long after the void.
    const another = await paymentOf(cancelled);
    await query(
      `update provider.payment set status = 'APPROVED', approved_amount = amount + 1, updated_at = now() - interval '1 hour'
       where reference = $1`,
      [another],
    );
    await query(`update payments.payment set updated_at = now() - interval '1 hour' where id = $1`, [another]);
    await settled(cancelled);

    const subjects = [stranger, paidFor, unknown, cancelled];
    await repairWhenNamed(
      [
        ['unknown-to-shop', stranger],
        ['money-without-order', paidFor],
        ['unknown-to-provider', await paymentOf(unknown)],
        ['books-differ', another],
      ],
      subjects,
    );
    for (const reference of [stranger, payment, another])
      expect(await atProvider(reference)).toEqual({ status: 'REFUNDED', kept: 0 });
    const unpaid: [string, string][] = [['confirmed-not-paid', unknown]];
    await eventually('what was changed is old enough to be looked at', async () => {
      expect(told(await reconcile(subjects))).toEqual(having(null, unpaid));
      return true;
    });
    await repairWhenNamed(unpaid, subjects);
    await until(unknown, 'REFUNDED');
    await settled(unknown);
    expect((await reconcile(subjects)).mismatches).toEqual([]);
    expect(await shop.product(product.id)).toMatchObject({ available: 10, held: 0, sold: 0 });
  }, 400_000);

  it('tells which kinds there are to one who names another', async () => {
    const { code, stderr } = await command(['--repair', '--kind', 'confirmed-not-payed']);
    expect(code).toBe(2);
    expect(stderr).toMatch(/kinds\[0\]: must be one of .*confirmed-not-paid/);
  }, 60_000);
});
