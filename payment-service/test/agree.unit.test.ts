/** What the reconciliation calls a mismatch of the books has a remedy, and what it leaves alone has none. */
import { expect, test } from '@jest/globals';
import { paymentState, type PaymentState } from '../../contract/states.ts';
import { judgeBooks } from '../../orchestrator/reconcile-judge.ts';
import { remedyFor } from '../agree.ts';
import type { Payment } from '../payment-row.ts';
import { type ProviderAnswer, providerStatus } from '../provider.ts';

const asked = 200_00;
const overdue = { settle: 0, overdue: 0 };
type There = ProviderAnswer['status'] | 'UNKNOWN';
type Case = { state: PaymentState; there: There; source: Payment['source']; accepted: boolean; approved: number };

const cases: Case[] = paymentState.options.flatMap((state) =>
  (['UNKNOWN', ...providerStatus.options] as const).flatMap((there) =>
    (['provider', 'manual'] as const).flatMap((source) =>
      [true, false].flatMap((accepted) =>
        (there === 'APPROVED' ? [asked, asked + 1_00] : [asked]).map((approved): Case => ({
          state,
          there,
          source,
          accepted,
          approved,
        })),
      ),
    ),
  ),
);

const ours = ({ state, source, accepted }: Case): Payment => ({
  id: 'c6b0c1de-0000-5000-8000-000000000001',
  orderId: '019a0000-0000-7000-8000-000000000001',
  amount: asked,
  currency: 'GBP',
  token: null,
  state,
  source,
  providerReference: null,
  declineReason: null,
  lateAfter: null,
  reinstatedBy: null,
  accepted,
  inTime: true,
  payBy: null,
  version: 1,
  createdAt: new Date(0),
  updatedAt: new Date(0),
});

const theirs = ({ there, approved }: Case): ProviderAnswer | undefined =>
  there === 'UNKNOWN'
    ? undefined
    : { id: 'p', status: there, currency: 'GBP', ...(there === 'APPROVED' ? { approvedAmount: approved } : {}) };

function kindOf(it: Case): string | undefined {
  const answer = theirs(it);
  const row = answer && { ...answer, reference: 'r', refundedAmount: 0, age: 1 };
  return judgeBooks({ ...ours(it), age: 1 }, row, overdue)[0]?.kind;
}

/** The reconciliation judges these by the order: a call is due, or the step that makes it has not come. */
const isUnderWay = ({ state, there, accepted }: Case) =>
  state === 'VOIDING' || state === 'REFUNDING' || (state === 'REQUESTED' && there === 'UNKNOWN' && !accepted);
/** Nobody has decided what is asked for, and only one who has heard of a payment approves it. */
const cannotBe = ({ state, there, source, accepted }: Case) =>
  (state === 'REQUESTED' && source === 'manual') ||
  ((state === 'APPROVED' || state === 'LATE') && there === 'UNKNOWN' && !accepted);

test.each(cases.filter((it) => !isUnderWay(it) && !cannotBe(it)))(
  '$state here and $there there ($source, accepted: $accepted, $approved) has a remedy if it is named',
  (it) => {
    const kind = kindOf(it);
    const remedy = remedyFor(ours(it), theirs(it));
    expect(remedy === undefined).toBe(kind === undefined);
    if (kind === 'provider-not-heard') expect(remedy).toBe('booked what the provider decided');
  },
);

test('a call that is due is made, unless the provider has no money to give back', () => {
  const under = (state: PaymentState, there: There, source: Payment['source'] = 'provider') => {
    const it: Case = { state, there, source, accepted: true, approved: asked };
    return remedyFor(ours(it), theirs(it));
  };
  expect(under('VOIDING', 'APPROVED')).toBe('ended what was begun');
  expect(under('REFUNDING', 'APPROVED')).toBe('ended what was begun');
  expect(under('REFUNDING', 'PENDING', 'manual')).toBe('ended what was begun');
  expect(under('REFUNDING', 'DECLINED')).toBe('set to what the provider says');
  expect(under('REFUNDING', 'UNKNOWN')).toBe('voided at the provider');
});

test('another amount than asked, approved after a decline or a void, is named and has a remedy', () => {
  for (const state of ['DECLINED', 'VOIDED'] as const) {
    const it: Case = { state, there: 'APPROVED', source: 'provider', accepted: true, approved: asked + 1_00 };
    expect(kindOf(it)).toBe('books-differ');
    expect(remedyFor(ours(it), theirs(it))).toBe('given back');
  }
});

test('a request that the provider never had is sent again while there is time to pay, then it is voided', () => {
  const it: Case = { state: 'REQUESTED', there: 'UNKNOWN', source: 'provider', accepted: true, approved: asked };
  expect(remedyFor(ours(it), undefined)).toBe('requested again');
  expect(remedyFor({ ...ours(it), inTime: false }, undefined)).toBe('voided');
});
