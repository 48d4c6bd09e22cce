/** One mismatch of each kind at the least, as SQL on the filled-in shop, and what the reconciliation must say of it. */
import type { Kind } from '../reconcile-kinds.ts';
import { aliveKey, type classes, goneKey, numberOf, orderIdOf } from './filled-shop.ts';

export type Seed = { kind: Kind; subject: string; sql: string[] };

const strangers = { reservation: 900_000_001, payment: 900_000_002, atProvider: 900_000_003 };
/** As SQL makes it; the subject of a mismatch in the books is the payment. */
const paymentOf = (n: number) => `payment ${n}`;

const taken = new Map<string, number>();
/** A mismatch of an order that nothing else is wrong with. */
function onOrder(kind: Kind, of: keyof typeof classes, sql: (id: string, n: number) => string[], books = false): Seed {
  const nth = (taken.get(of) ?? 0) + 1;
  taken.set(of, nth);
  const n = numberOf(of, nth);
  return { kind, subject: books ? paymentOf(n) : orderIdOf(n), sql: sql(orderIdOf(n), n) };
}

const order = (id: string, set: string) => `update orders.purchase set ${set} where id = '${id}'`;
const reservation = (id: string, set: string) => `update inventory.reservation set ${set} where order_id = '${id}'`;
const payment = (id: string, set: string) => `update payments.payment set ${set} where order_id = '${id}'`;
const provider = (n: number, set: string) =>
  `update provider.payment set ${set} where reference = payment_id(${n})::text`;
const gone = (n: number) => [
  `update orchestration.started_process set process_instance_key = '${goneKey(n)}' where order_id = order_id(${n})`,
  reservation(orderIdOf(n), `owner = '${goneKey(n)}'`),
];
const approved = (id: string, n: number) => [
  payment(id, `state = 'APPROVED'`),
  provider(n, `status = 'APPROVED', approved_amount = amount`),
];
const past = `now() - interval '1 hour'`;

/** Each kind but those of processes, which come from the double of Operate. */
export const seeds: Seed[] = [
  onOrder('order-never-started', 'onTheWay', (id, n) => [
    order(id, `status = 'PENDING'`),
    `delete from inventory.reservation_line where reservation_id = '${id}'`,
    `delete from inventory.reservation where order_id = '${id}'`,
    `delete from provider.payment where reference = payment_id(${n})::text`,
    `delete from payments.payment where order_id = '${id}'`,
    `delete from orchestration.started_process where order_id = '${id}'`,
  ]),
  onOrder('order-without-process', 'onTheWay', (_, n) => gone(n)),
  onOrder('paid-not-confirmed', 'onTheWay', (id, n) => [...gone(n), ...approved(id, n)]),
  onOrder('paid-but-waiting', 'onTheWay', approved),
  onOrder('refund-without-process', 'confirmed', (id, n) => [
    order(id, `status = 'COMPENSATING', refund_by = '${goneKey(n)}'`),
  ]),
  onOrder('held-for-final-order', 'declined', (id) => [reservation(id, `state = 'HELD'`)]),
  onOrder('held-for-final-order', 'cancelled', (id) => [
    `insert into inventory.reservation (id, order_id, owner, state, total, pay_by, hold_until, updated_at)
     values ('${id}/late', '${id}', '98', 'HELD', 0, now(), now(), ${past})`,
  ]),
  onOrder('sold-for-ended-order', 'declined', (id) => [reservation(id, `state = 'CONFIRMED'`)]),
  onOrder('confirmed-without-tickets', 'confirmed', (id) => [reservation(id, `state = 'EXPIRED'`)]),
  onOrder('quantities-differ', 'confirmed', (id) => [
    `update inventory.reservation_line set quantity = quantity + 1 where reservation_id = '${id}'`,
  ]),
  onOrder('confirmed-not-paid', 'confirmed', (id, n) => [
    payment(id, `state = 'DECLINED'`),
    provider(n, `status = 'DECLINED', approved_amount = null`),
  ]),
  onOrder('money-kept', 'cancelled', approved),
  onOrder('payment-open', 'cancelled', (id) => [payment(id, `state = 'VOIDING'`)]),
  onOrder('payment-open', 'declined', (id, n) => [
    payment(id, `state = 'REQUESTED'`),
    provider(n, `status = 'PENDING'`),
  ]),
  onOrder('late-without-process', 'cancelled', (id, n) => [
    payment(id, `state = 'LATE', late_after = 'VOIDED'`),
    provider(n, `status = 'APPROVED', approved_amount = amount`),
  ]),
  onOrder('ticket-codes-off', 'confirmed', (id) => [`delete from orders.ticket where order_id = '${id}' and unit = 1`]),
  onOrder(
    'provider-not-heard',
    'cancelled',
    (_, n) => [provider(n, `status = 'APPROVED', approved_amount = amount`)],
    true,
  ),
  onOrder(
    'provider-not-heard',
    'onTheWay',
    (_, n) => [provider(n, `status = 'APPROVED', approved_amount = amount`)],
    true,
  ),
  onOrder('books-differ', 'refunded', (_, n) => [provider(n, `status = 'APPROVED', refunded_amount = 0`)], true),
  onOrder('books-differ', 'confirmed', (_, n) => [provider(n, `approved_amount = approved_amount + 1`)], true),
  onOrder(
    'unknown-to-provider',
    'confirmed',
    (_, n) => [`delete from provider.payment where reference = payment_id(${n})::text`],
    true,
  ),
  {
    kind: 'tickets-without-order',
    subject: orderIdOf(strangers.reservation),
    sql: [
      `insert into inventory.reservation (id, order_id, owner, state, total, pay_by, hold_until, updated_at)
       values (order_id(${strangers.reservation})::text, order_id(${strangers.reservation}), '97', 'HELD', 0, now(), now(), ${past})`,
    ],
  },
  {
    kind: 'money-without-order',
    subject: orderIdOf(strangers.payment),
    sql: [
      `insert into payments.payment (id, order_id, amount, state, accepted_at, updated_at)
       values (payment_id(${strangers.payment}), order_id(${strangers.payment}), 5, 'APPROVED', now(), ${past})`,
      `insert into provider.payment (id, reference, amount, currency, status, approved_amount, updated_at)
       values (gen_random_uuid(), payment_id(${strangers.payment})::text, 5, 'GBP', 'APPROVED', 5, ${past})`,
    ],
  },
  {
    kind: 'unknown-to-shop',
    subject: paymentOf(strangers.atProvider),
    sql: [
      `insert into provider.payment (id, reference, amount, currency, status, approved_amount, updated_at)
       values (gen_random_uuid(), payment_id(${strangers.atProvider})::text, 5, 'GBP', 'APPROVED', 5, ${past})`,
    ],
  },
  {
    kind: 'stock-off',
    subject: 'odd',
    sql: [
      `insert into inventory.product (id, name, price, capacity, available, held) values ('odd', 'odd', 1, 3, 2, 1)`,
    ],
  },
  {
    kind: 'outbox-unsent',
    subject: 'payment-service',
    sql: [
      `insert into payments.outbox (idempotency_key, topic, key, value, created_at) values ('stuck', 'order-steps', 'k', '{}', ${past})`,
    ],
  },
];

/** What looks wrong and is not: it changed just now, its process lives, or it was acted out by hand. */
export const decoys: string[] = [
  onOrder('held-for-final-order', 'declined', (id) => [
    reservation(id, `state = 'HELD', updated_at = now() + interval '1 hour'`), // however slow this test is
  ]),
  onOrder('money-kept', 'cancelled', (id, n) => [
    ...approved(id, n),
    `insert into orchestration.further_process (process_instance_key, order_id) values ('1${n}', '${id}')`,
  ]),
  onOrder('order-never-started', 'onTheWay', (id, n) => [
    order(id, `status = 'PENDING', updated_at = now() - interval '1 minute'`),
    `delete from inventory.reservation_line where reservation_id = '${id}'`,
    `delete from inventory.reservation where order_id = '${id}'`,
    `delete from provider.payment where reference = payment_id(${n})::text`,
    `delete from payments.payment where order_id = '${id}'`,
    `delete from orchestration.started_process where order_id = '${id}'`,
  ]),
  // A crash between the engine's answer and our row: the instance that reserved lives on under another key.
  onOrder('order-without-process', 'onTheWay', (id, n) => [
    `update orchestration.started_process set process_instance_key = '${goneKey(n)}' where order_id = '${id}'`,
  ]),
  // Known by the order alone: a crash between the engine's answer and our row.
  onOrder('refund-without-process', 'confirmed', (id, n) => [
    order(id, `status = 'COMPENSATING', refund_by = '${aliveKey(n)}'`),
  ]),
  onOrder('books-differ', 'confirmed', (id, n) => [
    payment(id, `source = 'manual'`),
    provider(n, `status = 'PENDING', approved_amount = null`),
  ]),
  onOrder('books-differ', 'refunded', (_, n) => [provider(n, `approved_amount = 7, refunded_amount = 7`)]),
].flatMap(({ sql }) => sql);
