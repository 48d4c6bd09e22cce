import { describe, expect, test } from '@jest/globals';
import { paymentState, type PaymentState } from '../../contract/states.ts';
import * as moves from '../moves.ts';
import type { Payment } from '../payment-row.ts';

const payment = (state: PaymentState, more: Partial<Payment> = {}): Payment => ({
  id: 'c6b0c1de-0000-5000-8000-000000000001',
  orderId: '019a0000-0000-7000-8000-000000000001',
  amount: 200_00,
  currency: 'GBP',
  token: null,
  state,
  source: 'provider',
  providerReference: null,
  declineReason: null,
  lateAfter: null,
  reinstatedBy: null,
  accepted: true,
  inTime: true,
  payBy: null,
  version: 1,
  createdAt: new Date(0),
  updatedAt: new Date(0),
  ...more,
});

/** Where each move leads from each state; a state that is not named stays as it is. */
const table: Record<
  string,
  [(payment: Payment) => moves.Move | undefined, Partial<Record<PaymentState, PaymentState>>]
> = {
  approve: [
    (p) => moves.approve(p, 'provider'),
    { REQUESTED: 'APPROVED', VOIDING: 'APPROVED', DECLINED: 'LATE', VOIDED: 'LATE' },
  ],
  'approve of what was approved by hand': [
    (p) => moves.approve({ ...p, source: 'manual' }, 'provider'),
    {
      REQUESTED: 'APPROVED',
      VOIDING: 'APPROVED',
      DECLINED: 'LATE',
      VOIDED: 'LATE',
      REFUNDING: 'REFUNDING',
      REFUNDED: 'LATE',
    },
  ],
  decline: [(p) => moves.decline(p, 'provider', 'no'), { REQUESTED: 'DECLINED', VOIDING: 'DECLINED' }],
  startVoid: [moves.startVoid, { REQUESTED: 'VOIDING' }],
  endVoid: [moves.endVoid, { VOIDING: 'VOIDED' }],
  startRefund: [moves.startRefund, { APPROVED: 'REFUNDING' }],
  giveBack: [moves.giveBack, { VOIDING: 'REFUNDING' }],
  startReturn: [moves.startReturn, { REQUESTED: 'VOIDING', APPROVED: 'REFUNDING', LATE: 'REFUNDING' }],
  giveBackUnasked: [moves.giveBackUnasked, { DECLINED: 'REFUNDING', VOIDED: 'REFUNDING' }],
  endAsProvider: [(p) => moves.endAsProvider(p, 'VOIDED'), { APPROVED: 'VOIDED', LATE: 'VOIDED', REFUNDING: 'VOIDED' }],
  endRefund: [moves.endRefund, { REFUNDING: 'REFUNDED' }],
  acceptLate: [(p) => moves.acceptLate(p, 'one'), { LATE: 'APPROVED' }],
  startLateRefund: [(p) => moves.startLateRefund(p, 'one'), { LATE: 'REFUNDING' }],
  'startLateRefund of what it accepted itself': [
    (p) => moves.startLateRefund({ ...p, reinstatedBy: 'one' }, 'one'),
    { LATE: 'REFUNDING', APPROVED: 'REFUNDING' },
  ],
  'startLateRefund of what another accepted': [
    (p) => (p.state === 'LATE' ? undefined : moves.startLateRefund({ ...p, reinstatedBy: 'other' }, 'one')),
    {},
  ],
};

for (const [name, [move, leads]] of Object.entries(table)) {
  test.each(paymentState.options)(`${name} of a payment that is %s leads where the state machine says`, (state) => {
    expect(move(payment(state))?.after.state).toBe(leads[state]);
  });
}

describe('What is told', () => {
  test('an outcome that is the first word of the provider tells PAYMENT_CREATED too', () => {
    const unheard = payment('REQUESTED', { accepted: false });
    expect(moves.approve(unheard, 'provider')?.history).toEqual(['PAYMENT_CREATED', 'PAYMENT_COMPLETED']);
    expect(moves.decline(unheard, 'provider', 'no')?.history).toEqual(['PAYMENT_CREATED', 'PAYMENT_FAILED']);
  });

  test('an acceptance is told once', () => {
    expect(moves.accept(payment('APPROVED'), 'p')).toBeUndefined();
    expect(moves.accept(payment('REQUESTED', { accepted: false }), 'p')?.history).toEqual(['PAYMENT_CREATED']);
  });

  test('a late approval remembers what it came too late for', () => {
    expect(moves.approve(payment('DECLINED'), 'provider')?.after.lateAfter).toBe('DECLINED');
    expect(moves.approve(payment('VOIDED'), 'manual')?.tell).toEqual({ type: 'PAYMENT_LATE' });
  });

  test('what the provider does not have is told once for each way to end, and belongs to nobody any more', () => {
    const accepted = payment('APPROVED', { lateAfter: 'DECLINED', reinstatedBy: 'one', source: 'manual' });
    expect(moves.endAsProvider(accepted, 'VOIDED')).toMatchObject({
      history: ['PAYMENT_VOIDED'],
      after: { reinstatedBy: null, source: 'provider' },
    });
    expect(moves.endAsProvider(accepted, 'DECLINED')?.history).toEqual([]);
    expect(moves.endAsProvider(payment('REFUNDING'), 'REFUNDED')?.history).toEqual(['PAYMENT_REFUNDED']);
  });

  test('what is given back after a decline stays declined for the process that asks', () => {
    expect(moves.giveBackUnasked(payment('DECLINED'))).toMatchObject({ after: { lateAfter: 'DECLINED' }, history: [] });
  });

  test('an intent tells nobody anything', () => {
    for (const move of [moves.startVoid(payment('REQUESTED')), moves.startRefund(payment('APPROVED'))]) {
      expect(move).toMatchObject({ history: [] });
      expect(move).not.toHaveProperty('tell');
    }
  });
});
