import { readFile } from 'node:fs/promises';
import { describe, expect, test } from '@jest/globals';
import type { OrderRow, PaymentRow, ReservationRow } from '@ticket-saga/contract/reconciliation';
import type { ProviderRow } from '../provider-books.ts';
import { judgeBooks, judgeOrder, judgeProcess, type OrderCase } from '../reconcile-judge.ts';
import { isRepaired, type Kind, kindNames, kinds, repairs } from '../reconcile-kinds.ts';

const id = '01900000-0000-7000-8000-000000000001';
const times = { settle: 30, overdue: 300 };
const old = 1_000;

const order = (status: OrderRow['status'], more: Partial<OrderRow> = {}): OrderRow => ({
  id,
  status,
  total: 2_000,
  lines: 'a:2',
  codes: status === 'CONFIRMED' ? 2 : 0,
  refundBy: null,
  age: old,
  ...more,
});
const reservation = (state: ReservationRow['state'], more: Partial<ReservationRow> = {}): ReservationRow => ({
  id,
  orderId: id,
  state,
  owner: '1',
  lines: 'a:2',
  age: old,
  ...more,
});
const payment = (state: PaymentRow['state'], more: Partial<PaymentRow> = {}): PaymentRow => ({
  id: 'p',
  orderId: id,
  state,
  amount: 2_000,
  source: 'provider',
  accepted: true,
  age: old,
  ...more,
});
const theirs = (status: ProviderRow['status'], more: Partial<ProviderRow> = {}): ProviderRow => ({
  reference: 'p',
  status,
  refundedAmount: 0,
  age: old,
  ...(status === 'APPROVED' ? { approvedAmount: 2_000 } : {}),
  ...more,
});

const alive = { started: true, alive: true };
const gone = { started: true, alive: false };
const never = { started: false, alive: false };
const found = (it: Partial<OrderCase>) =>
  judgeOrder({ id, order: undefined, reservations: [], payment: undefined, process: gone, ...it }, times).map(
    ({ kind }) => kind,
  );

describe('An order that ended well', () => {
  test.each([
    ['confirmed', order('CONFIRMED'), [reservation('CONFIRMED')], payment('APPROVED')],
    [
      'reinstated by late money',
      order('CONFIRMED'),
      [reservation('RELEASED'), reservation('CONFIRMED', { id: `${id}/late` })],
      payment('APPROVED'),
    ],
    ['declined', order('PAYMENT_NOT_COMPLETED'), [reservation('RELEASED')], payment('DECLINED')],
    ['expired', order('PAYMENT_NOT_COMPLETED'), [reservation('EXPIRED')], payment('VOIDED')],
    ['cancelled before anything', order('CANCELLED'), [reservation('RELEASED', { owner: null })], payment('VOIDED')],
    ['sold out', order('REJECTED'), [reservation('REJECTED', { lines: '' })], undefined],
    ['refunded, with its codes', order('REFUNDED', { codes: 2 }), [reservation('RELEASED')], payment('REFUNDED')],
  ] as const)('is no mismatch: %s', (_, one, reservations, paid) => {
    expect(found({ order: one, reservations: [...reservations], payment: paid })).toEqual([]);
  });
});

describe('An order that has ended', () => {
  const ended = (reservations: ReservationRow[], paid?: PaymentRow) =>
    found({ order: order('CANCELLED'), reservations, payment: paid });

  test('holds no tickets and has none sold', () => {
    expect(ended([reservation('HELD')])).toEqual(['held-for-final-order']);
    expect(ended([reservation('CONFIRMED')])).toEqual(['sold-for-ended-order']);
    expect(ended([reservation('RELEASED'), reservation('HELD', { id: `${id}/late` })])).toEqual([
      'held-for-final-order',
    ]);
  });

  test('keeps no money, and owes no call to the provider', () => {
    expect(ended([], payment('APPROVED'))).toEqual(['money-kept']);
    for (const state of ['REQUESTED', 'VOIDING', 'REFUNDING'] as const)
      expect(ended([], payment(state))).toEqual(['payment-open']);
    expect(ended([], payment('LATE'))).toEqual(['late-without-process']);
    expect(ended([], payment('LATE', { age: 100 }))).toEqual([]);
  });

  test('and was not confirmed has no ticket codes', () => {
    expect(found({ order: order('CANCELLED', { codes: 1 }) })).toEqual(['ticket-codes-off']);
  });

  test('is left to its process as long as one lives', () => {
    const reservations = [reservation('HELD')];
    expect(found({ order: order('CANCELLED'), reservations, payment: payment('APPROVED'), process: alive })).toEqual(
      [],
    );
  });
});

describe('A confirmed order', () => {
  const confirmed = (more: Partial<OrderCase>) =>
    found({
      order: order('CONFIRMED'),
      reservations: [reservation('CONFIRMED')],
      payment: payment('APPROVED'),
      ...more,
    });

  test('has its tickets, all of them and no others', () => {
    expect(confirmed({ reservations: [] })).toEqual(['confirmed-without-tickets']);
    expect(confirmed({ reservations: [reservation('HELD')] })).toEqual(['confirmed-without-tickets']);
    expect(confirmed({ reservations: [reservation('CONFIRMED', { lines: 'a:3' })] })).toEqual(['quantities-differ']);
    const twice = [reservation('CONFIRMED'), reservation('CONFIRMED', { id: `${id}/late` })];
    expect(confirmed({ reservations: twice })).toEqual(['quantities-differ']);
  });

  test('is paid, to the penny', () => {
    for (const state of ['REQUESTED', 'DECLINED', 'VOIDED', 'LATE', 'REFUNDED'] as const)
      expect(confirmed({ payment: payment(state) })).toEqual(['confirmed-not-paid']);
    expect(confirmed({ payment: undefined })).toEqual(['confirmed-not-paid']);
    expect(confirmed({ payment: payment('APPROVED', { amount: 1_999 }) })).toEqual(['confirmed-not-paid']);
  });

  test('has a code for each ticket', () => {
    expect(confirmed({ order: order('CONFIRMED', { codes: 1 }) })).toEqual(['ticket-codes-off']);
    const two = { lines: 'a:2 b.c:10', codes: 12 };
    expect(confirmed({ order: order('CONFIRMED', two), reservations: [reservation('CONFIRMED', two)] })).toEqual([]);
  });
});

describe('An order on the way', () => {
  const onTheWay = (more: Partial<OrderCase>, status: OrderRow['status'] = 'AWAITING_PAYMENT') =>
    found({ order: order(status), reservations: [reservation('HELD')], payment: payment('REQUESTED'), ...more });

  test('has a process, or something is wrong', () => {
    expect(onTheWay({ process: alive })).toEqual([]);
    expect(onTheWay({ process: gone })).toEqual(['order-without-process']);
    expect(onTheWay({ process: gone, payment: payment('APPROVED') })).toEqual(['paid-not-confirmed']);
  });

  test('because it is being refunded is a matter of its refund, however its money and tickets are', () => {
    const refunding = { order: order('COMPENSATING', { refundBy: '7', codes: 2 }) };
    for (const state of ['APPROVED', 'REFUNDING', 'REFUNDED', 'DECLINED'] as const) {
      expect(onTheWay({ ...refunding, payment: payment(state), process: alive })).toEqual([]);
      expect(onTheWay({ ...refunding, payment: payment(state), process: gone })).toEqual(['refund-without-process']);
    }
    expect(onTheWay({ ...refunding, reservations: [], payment: undefined })).toEqual(['refund-without-process']);
  });

  test('is suspected while the engine was not asked', () => {
    const { process: _, ...unasked } = {
      id,
      order: order('PENDING'),
      reservations: [],
      payment: undefined,
      process: gone,
    };
    expect(judgeOrder(unasked, times)).toHaveLength(1);
  });

  test('that nothing was begun for may wait for its process a while', () => {
    const bare = { reservations: [], payment: undefined, process: never };
    expect(onTheWay(bare, 'PENDING')).toEqual(['order-never-started']);
    expect(onTheWay({ ...bare, order: order('PENDING', { age: 100 }) })).toEqual([]);
  });

  test('that is paid goes on soon', () => {
    expect(onTheWay({ process: alive, payment: payment('APPROVED') })).toEqual(['paid-but-waiting']);
    expect(onTheWay({ process: alive, payment: payment('APPROVED', { age: 100 }) })).toEqual([]);
  });
});

test('what has just changed is left for the next run', () => {
  const reservations = [reservation('HELD')];
  expect(found({ order: order('CANCELLED'), reservations })).toEqual(['held-for-final-order']);
  expect(found({ order: order('CANCELLED', { age: 29 }), reservations })).toEqual([]);
  expect(found({ order: order('CANCELLED'), reservations: [reservation('HELD', { age: 29 })] })).toEqual([]);
  expect(found({ order: order('CANCELLED'), reservations, payment: payment('VOIDED', { age: 29 }) })).toEqual([]);
});

test('tickets and money of no order are named, tombstones are not', () => {
  expect(found({ reservations: [reservation('HELD')] })).toEqual(['tickets-without-order']);
  expect(found({ payment: payment('APPROVED') })).toEqual(['money-without-order']);
  expect(found({ reservations: [reservation('RELEASED')], payment: payment('VOIDED') })).toEqual([]);
});

describe('Our books and the provider’s', () => {
  const books = (ours: PaymentRow | undefined, provider: ProviderRow | undefined) =>
    judgeBooks(ours, provider, times).map(({ kind }) => kind)[0] ?? 'agree';
  const byHand = { source: 'manual' } as const;

  test.each([
    ['agree', payment('REQUESTED'), theirs('PENDING')],
    ['agree', payment('REQUESTED', { accepted: false }), undefined],
    ['agree', payment('APPROVED'), theirs('APPROVED')],
    ['agree', payment('LATE'), theirs('APPROVED')],
    ['agree', payment('DECLINED'), theirs('DECLINED')],
    ['agree', payment('VOIDED'), theirs('VOIDED')],
    ['agree', payment('VOIDED', { accepted: false, amount: 0 }), undefined],
    ['agree', payment('REFUNDED'), theirs('REFUNDED', { approvedAmount: 2_000, refundedAmount: 2_000 })],
    ['agree', payment('REFUNDED'), theirs('REFUNDED', { approvedAmount: 7, refundedAmount: 7 })],
    ['agree', payment('VOIDING'), theirs('APPROVED')],
    ['agree', payment('APPROVED', byHand), theirs('PENDING')],
    ['agree', payment('DECLINED', byHand), theirs('PENDING')],
    ['agree', payment('REFUNDED', byHand), theirs('VOIDED')],
    ['agree', undefined, theirs('VOIDED')],
    ['agree', undefined, theirs('DECLINED')],
    ['agree', undefined, theirs('REFUNDED')],
    ['provider-not-heard', payment('REQUESTED'), theirs('APPROVED')],
    ['provider-not-heard', payment('REQUESTED'), theirs('DECLINED')],
    ['provider-not-heard', payment('VOIDED'), theirs('APPROVED')],
    ['provider-not-heard', payment('DECLINED'), theirs('APPROVED')],
    ['books-differ', payment('REQUESTED'), theirs('APPROVED', { approvedAmount: 1 })],
    ['books-differ', payment('VOIDED'), theirs('APPROVED', { approvedAmount: 1 })],
    ['books-differ', payment('REQUESTED'), theirs('VOIDED')],
    ['books-differ', payment('APPROVED'), theirs('APPROVED', { approvedAmount: 1 })],
    ['books-differ', payment('APPROVED'), theirs('REFUNDED')],
    ['books-differ', payment('APPROVED'), theirs('PENDING')],
    ['books-differ', payment('APPROVED', byHand), theirs('REFUNDED')],
    ['books-differ', payment('REFUNDED'), theirs('APPROVED')],
    ['books-differ', payment('VOIDED'), theirs('PENDING')],
    ['unknown-to-shop', undefined, theirs('APPROVED')],
    ['unknown-to-shop', undefined, theirs('PENDING')],
    ['unknown-to-provider', payment('APPROVED'), undefined],
  ] as const)('%s: %j and %j', (kind, ours, provider) => {
    expect(books(ours, provider)).toBe(kind);
  });

  test('may differ while a webhook is on its way', () => {
    expect(books(payment('REQUESTED', { age: 100 }), theirs('APPROVED', { age: 100 }))).toBe('agree');
    expect(books(payment('APPROVED', { age: 10 }), theirs('REFUNDED'))).toBe('agree');
  });
});

describe('A process that runs', () => {
  const judged = (status: OrderRow['status'] | undefined, more = {}) =>
    judgeProcess(
      { key: '1', processId: 'ticket-order', orderId: id, order: status && order(status), repairs: false, ...more },
      times,
    ).map(({ kind }) => kind);

  test('has an order that has not ended, unless it is one of those that come after the end', () => {
    expect(judged('AWAITING_PAYMENT')).toEqual([]);
    expect(judged('CONFIRMED')).toEqual(['process-for-final-order']);
    expect(judged('CONFIRMED', { processId: 'refund-order' })).toEqual([]);
    expect(judged('CANCELLED', { repairs: true })).toEqual([]);
    expect(judged(undefined)).toEqual(['process-without-order']);
  });

  test('and whose order is not known yet is left alone while it is young', () => {
    expect(judged(undefined, { orderId: null, age: 100 })).toEqual([]);
    expect(judged(undefined, { orderId: null, age: 300 })).toEqual(['process-without-order']);
    expect(judged(undefined, { age: 100 })).toEqual(['process-without-order']);
  });
});

describe('Every kind of mismatch', () => {
  const repairOf = (kind: Kind) => repairs[kinds[kind].repair];

  test('has a repair; those that give money back or take from a confirmed order only for a run that names the kind', () => {
    const named = kindNames.filter((kind) => repairOf(kind).when === 'named').toSorted();
    expect(named).toEqual([
      'books-differ',
      'confirmed-not-paid',
      'confirmed-without-tickets',
      'money-without-order',
      'quantities-differ',
      'unknown-to-provider',
      'unknown-to-shop',
    ]);
    for (const kind of kindNames) {
      expect(isRepaired(kind, [])).toBe(!named.includes(kind));
      expect(isRepaired(kind, [kind])).toBe(true);
      expect(isRepaired(kind, [kind === 'stock-off' ? 'outbox-unsent' : 'stock-off'])).toBe(false);
    }
  });

  test('stands with its repair among those that operators read of', async () => {
    const guide = await readFile(new URL('../../docs/operating.md', import.meta.url), 'utf8');
    const rows = guide.split('\n').filter((line) => line.startsWith('| `'));
    for (const kind of kindNames) {
      const cells = rows
        .find((row) => row.startsWith(`| \`${kind}\` `))
        ?.split('|')
        .map((cell) => cell.trim());
      const { sentence, severity } = kinds[kind];
      const { does, when } = repairOf(kind);
      expect(cells?.slice(1, -1)).toEqual([`\`${kind}\``, sentence, severity, does, when]);
    }
  });
});
