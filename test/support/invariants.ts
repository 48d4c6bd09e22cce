/**
 * What must hold when orders have ended (ARCHITECTURE 5), in all schemas, in the provider's books and in the engine.
 * Each rule is a statement whose rows break it; `o` are the orders in question, `p` their payments, `b` the provider's
 * books of these, `r` their reservations.
 */
import { setTimeout as pause } from 'node:timers/promises';
import { query, shop } from './system.ts';

export type Broken = { rule: string; rows: unknown[] };

const sources = `with o as materialized (select * from orders.purchase where id = any($1::uuid[])),
  p as materialized (select payment.* from payments.payment join o on o.id = payment.order_id),
  b as materialized (select payment.*, p.order_id, p.source from provider.payment join p on payment.reference = p.id::text),
  r as materialized (select reservation.* from inventory.reservation join o on o.id = reservation.order_id)`;

const outboxes = ['orders', 'inventory', 'payments', 'orchestration'];

const rules: Record<string, string> = {
  'every order has ended': `select id, status from o
    where completed_at is null or status in ('PENDING', 'AWAITING_PAYMENT', 'COMPENSATING')`,
  'every order has the ends of its status, each once': `
    select id, status, ends from (
      select o.id, o.status, (select coalesce(string_agg(state, ' ' order by h.id), '') from orders.history h where h.order_id = o.id
        and state in ('ORDER_CONFIRMED', 'ORDER_REJECTED', 'ORDER_CLOSED', 'ORDER_REINSTATED', 'ORDER_REFUNDED')) as ends from o) as e
    where ends <> all (case status
      when 'CONFIRMED' then array['ORDER_CONFIRMED', 'ORDER_CLOSED ORDER_REINSTATED']
      when 'REJECTED' then array['ORDER_REJECTED']
      when 'REFUNDED' then array['ORDER_CONFIRMED ORDER_REFUNDED', 'ORDER_CLOSED ORDER_REINSTATED ORDER_REFUNDED']
      else array['ORDER_CLOSED'] end)`,
  'the history tells each fact once (of a reservation: once for each)': `
    select h.order_id, h.state, count(*)::int as times from orders.history h join o on o.id = h.order_id
    group by h.order_id, h.state
    having count(*) > case when h.state like 'RESERVE_%'
      then greatest(1, (select count(*) from r where r.order_id = h.order_id)) else 1 end`,
  'of each product available + held + sold = capacity, and none is below zero': `select id, capacity, available, held, sold
    from inventory.product where least(available, held, sold) < 0 or available + held + sold <> capacity`,
  "the stock's held and sold tickets are those of the reservations": `
    select id, held, held_for, sold, sold_to from inventory.product product, lateral (
      select coalesce(sum(l.quantity) filter (where v.state = 'HELD'), 0) as held_for,
        coalesce(sum(l.quantity) filter (where v.state = 'CONFIRMED'), 0) as sold_to
      from inventory.reservation_line l join inventory.reservation v on v.id = l.reservation_id where l.product_id = product.id) as t
    where held <> held_for or sold <> sold_to`,
  'no ticket is held for an order that has ended': `select r.id, o.status from r join o on o.id = r.order_id
    where r.state = 'HELD' and o.completed_at is not null`,
  'what confirmed orders ordered is sold to them, and nothing to others': `
    select order_id, product_id, ordered, sold from (
      select o.id as order_id, item."productId" as product_id, sum(item.quantity) as ordered
      from o, jsonb_to_recordset(o.items) as item("productId" text, quantity int) where o.status = 'CONFIRMED' group by 1, 2) as wanted
    full join (
      select r.order_id, l.product_id, sum(l.quantity) as sold
      from r join inventory.reservation_line l on l.reservation_id = r.id where r.state = 'CONFIRMED' group by 1, 2) as given
    using (order_id, product_id) where ordered is distinct from sold`,
  'a confirmed order has a ticket code for each unit, others have none': `
    select o.id, o.status, codes from o, lateral (select count(distinct code) as codes from orders.ticket t where t.order_id = o.id) as c
    where codes <> case o.status when 'CONFIRMED'
      then (select sum(quantity) from jsonb_to_recordset(o.items) as item(quantity int)) else 0 end
      and o.status <> 'REFUNDED'`,
  'the payment is what the order says: approved, or nothing is owed': `
    select o.id, o.status, p.state, p.amount, o.total_price from o left join p on p.order_id = o.id
    where not case o.status
      when 'CONFIRMED' then coalesce(p.state = 'APPROVED' and p.amount = o.total_price, false)
      when 'REFUNDED' then coalesce(p.state = 'REFUNDED', false)
      when 'REJECTED' then p.state is null
      else coalesce(p.state in ('DECLINED', 'VOIDED', 'REFUNDED'), false) end`,
  'the order shows the state of its payment': `select o.id, o.payment_state, p.state from o left join p on p.order_id = o.id
    where o.payment_state is distinct from p.state`,
  "the provider's books agree: paid once and kept, or given back, or never taken": `
    select o.id, o.status, b.status as books, b.approved_amount, b.refunded_amount, o.total_price from b join o on o.id = b.order_id
    where b.source = 'provider' and not case o.status
      when 'CONFIRMED' then b.status = 'APPROVED' and b.approved_amount = o.total_price and b.refunded_amount = 0
      else b.status <> 'PENDING' and coalesce(b.approved_amount, 0) = b.refunded_amount end`,
  "the provider's net takings are the totals of the confirmed orders, to the penny": `
    select taken, confirmed from
      (select coalesce(sum(coalesce(approved_amount, 0) - refunded_amount), 0) as taken from b where source = 'provider') as books,
      (select coalesce(sum(total_price), 0) as confirmed from o join p on p.order_id = o.id
        where o.status = 'CONFIRMED' and p.source = 'provider') as orders
    where taken <> confirmed`,
  'the provider has nothing left to say': `select b.order_id, 'decision' as what from b join provider.decision d on d.payment_id = b.id where d.done_at is null
    union all select b.order_id, 'webhook' from b join provider.webhook w on w.payment_id = b.id where w.delivered_at is null`,
  'the process of every order was started and noted': `select id from o
    where not exists (select from orchestration.started_process s where s.order_id = o.id)`,
  'no refund of these orders is under way': `select refund_id, order_id, r.state, message from orchestration.refund_order r
    join o on o.id = r.order_id where r.state not in ('DONE', 'REFUSED')`,
  'no event waits in an outbox': outboxes
    .map((schema) => `select '${schema}' as outbox, id, topic, key from ${schema}.outbox where published_at is null`)
    .join(' union all '),
};

/** What breaks which rule for these orders now; empty when all is well. Stock and outboxes are looked at as a whole. */
export async function brokenInvariants(orderIds: readonly string[]): Promise<Broken[]> {
  const inDatabase = await Promise.all(
    Object.entries(rules).map(async ([rule, text]) => ({ rule, rows: await query(`${sources} ${text}`, [orderIds]) })),
  );
  const broken = inDatabase.filter(({ rows }) => rows.length > 0);
  if (broken.length > 0) return broken; // the engine is asked for each instance: last
  const rows = await leftRunning(orderIds);
  return rows.length > 0 ? [{ rule: 'no process instance runs or hangs for an order that has ended', rows }] : [];
}

/** Instances of these orders that the engine still has, also the second one of a duplicate start, also with an incident. */
async function leftRunning(orderIds: readonly string[]): Promise<unknown[]> {
  const left = await query<{ orderId: string; key: string }>(
    `select order_id as "orderId", process_instance_key as key from orchestration.started_process where order_id = any($1::uuid[])
     union select order_id, process_instance_key from orders.step_event where order_id = any($1::uuid[])`,
    [orderIds],
  );
  const running: unknown[] = [];
  const ask = async () => {
    for (let next = left.pop(); next; next = left.pop()) if (await shop.engine.isAlive(next.key)) running.push(next);
  };
  await Promise.all(Array.from({ length: 16 }, ask));
  return running;
}

/**
 * Waits until all rules hold: the last events, webhooks and Operate's records come a moment after the orders' ends.
 * Rejects with what is broken still, a few rows of each rule.
 */
export async function allHold(orderIds: readonly string[], { withinMs = 60_000 } = {}): Promise<void> {
  for (const end = Date.now() + withinMs; ;) {
    // A database or engine that has just come back may not answer in time: then nothing is known, and it is asked again.
    const broken = await brokenInvariants(orderIds).catch((error: unknown) => {
      if (Date.now() > end) throw error;
    });
    if (broken?.length === 0) return;
    if (broken && Date.now() > end)
      throw new Error(`Not within ${withinMs / 1_000} s:\n${broken.map(described).join('\n')}`);
    await pause(1_000);
  }
}

function described({ rule, rows }: Broken): string {
  const shown = rows.slice(0, 5).map((row) => `\n    ${JSON.stringify(row)}`);
  return `  ${rule}; broken by ${rows.length}:${shown.join('')}`;
}
