/**
 * The state machine of a payment (ARCHITECTURE 5), as pure functions: from the row as it is to the row as it becomes,
 * or undefined where nothing changes.
 *
 *     REQUESTED → APPROVED | DECLINED | VOIDING → VOIDED        DECLINED, VOIDED → LATE (an approval that came too late)
 *     VOIDING → APPROVED | DECLINED: they beat the void          APPROVED → REFUNDING → REFUNDED
 *     VOIDING → REFUNDING: the provider took what was not asked for; it is given back
 *     REFUNDED → LATE: only what was given back by hand (`source` manual: no money moved), when the provider takes it after all
 *     LATE → APPROVED (by one process instance, for its reinstated order) | REFUNDING: whoever is first decides
 *
 * And by the reconciliation's repairs:
 *
 *     DECLINED, VOIDED → REFUNDING: the provider has taken what was not asked for
 *     APPROVED, LATE, REFUNDING → DECLINED | VOIDED | REFUNDED: the provider has no money of it, or no more
 */
import type { HistoryState, PaymentState } from '@ticket-saga/contract/states';
import type { PaymentEvent } from '@ticket-saga/contract/topics';
import type { Payment } from './payment-row.ts';

export type Move = {
  after: Payment;
  /** What became true. */
  history: HistoryState[];
  /** What the orchestrator is told. */
  tell?: { type: PaymentEvent['type']; reason?: string };
};

type Source = Payment['source'];

/** A call to the provider is due. */
export function isIntent({ state }: Payment): boolean {
  return state === 'REQUESTED' || state === 'VOIDING' || state === 'REFUNDING';
}

/** The provider has taken the request. */
export function accept(payment: Payment, providerReference: string): Move | undefined {
  if (payment.accepted) return undefined;
  return { after: { ...payment, accepted: true, providerReference }, history: ['PAYMENT_CREATED'] };
}

/** An approval before the void is committed is in time; after a decline or a void it is LATE. A repeat is nothing. */
export function approve(payment: Payment, source: Source): Move | undefined {
  const isRealNow = payment.source === 'manual' && source === 'provider';
  switch (payment.state) {
    case 'REQUESTED':
    case 'VOIDING':
      return {
        after: { ...payment, state: 'APPROVED', source, accepted: true },
        history: [...created(payment), 'PAYMENT_COMPLETED'],
        tell: { type: 'PAYMENT_APPROVED' },
      };
    case 'DECLINED':
    case 'VOIDED':
      return {
        after: { ...payment, state: 'LATE', source, lateAfter: payment.state },
        history: ['PAYMENT_LATE'],
        tell: { type: 'PAYMENT_LATE' },
      };
    case 'REFUNDING':
      // The void that stands for the refund of what was approved by hand came too late: the money itself must go back.
      return isRealNow ? { after: { ...payment, source }, history: [] } : undefined;
    case 'REFUNDED':
      // Approved and given back by hand, without any money. Now the provider has taken some, for an order that has ended.
      return isRealNow
        ? {
            after: { ...payment, state: 'LATE', source, lateAfter: 'VOIDED', reinstatedBy: null },
            history: ['PAYMENT_LATE'],
            tell: { type: 'PAYMENT_LATE' },
          }
        : undefined;
    case 'APPROVED':
    case 'LATE':
      return undefined;
  }
}

/** A decline counts only while nothing is decided. */
export function decline(payment: Payment, source: Source, reason: string): Move | undefined {
  if (payment.state !== 'REQUESTED' && payment.state !== 'VOIDING') return undefined;
  const declineReason = reason.replaceAll('\0', ''); // comes from outside; PostgreSQL refuses null bytes
  return {
    after: { ...payment, state: 'DECLINED', source, declineReason, accepted: true },
    history: [...created(payment), 'PAYMENT_FAILED'],
    tell: { type: 'PAYMENT_DECLINED', reason: declineReason },
  };
}

/** The intent to void; the call follows. */
export function startVoid(payment: Payment): Move | undefined {
  return payment.state === 'REQUESTED' ? { after: { ...payment, state: 'VOIDING' }, history: [] } : undefined;
}

export function endVoid(payment: Payment): Move | undefined {
  if (payment.state !== 'VOIDING') return undefined;
  return { after: { ...payment, state: 'VOIDED' }, history: ['PAYMENT_VOIDED'] };
}

/** The late money counts after all: it pays the order that `by`, a process instance, is about to reinstate. */
export function acceptLate(payment: Payment, by: string): Move | undefined {
  if (payment.state !== 'LATE') return undefined;
  return { after: { ...payment, state: 'APPROVED', reinstatedBy: by }, history: ['PAYMENT_COMPLETED'] };
}

/** The intent to give late money back, also what `by` itself has accepted. What another accepted stays. */
export function startLateRefund(payment: Payment, by: string): Move | undefined {
  const own = payment.state === 'APPROVED' && payment.reinstatedBy === by;
  return own || payment.state === 'LATE' ? { after: { ...payment, state: 'REFUNDING' }, history: [] } : undefined;
}

/** The intent to give the money back; the call follows. */
export function startRefund(payment: Payment): Move | undefined {
  return payment.state === 'APPROVED' ? { after: { ...payment, state: 'REFUNDING' }, history: [] } : undefined;
}

/** The void came too late to stop the provider from taking what was not asked for. The call follows. */
export function giveBack(payment: Payment): Move | undefined {
  return payment.state === 'VOIDING' ? { after: { ...payment, state: 'REFUNDING' }, history: [] } : undefined;
}

/** The intent to give back whatever there is: of a payment that belongs to no order. The call follows. */
export function startReturn(payment: Payment): Move | undefined {
  if (payment.state !== 'APPROVED' && payment.state !== 'LATE') return startVoid(payment);
  return { after: { ...payment, state: 'REFUNDING' }, history: [] };
}

/** The provider has taken another amount than was asked, after the payment had ended: it goes back. The call follows. */
export function giveBackUnasked(payment: Payment): Move | undefined {
  const { state } = payment;
  if (state !== 'DECLINED' && state !== 'VOIDED') return undefined;
  return { after: { ...payment, state: 'REFUNDING', lateAfter: state }, history: [] };
}

const endsWithoutMoney = {
  DECLINED: 'PAYMENT_FAILED',
  VOIDED: 'PAYMENT_VOIDED',
  REFUNDED: 'PAYMENT_REFUNDED',
} as const satisfies Partial<Record<PaymentState, HistoryState>>;

/** Our books said that there was money; the provider says how the payment ended without any. */
export function endAsProvider(payment: Payment, ended: keyof typeof endsWithoutMoney): Move | undefined {
  if (payment.state !== 'APPROVED' && payment.state !== 'LATE' && payment.state !== 'REFUNDING') return undefined;
  return {
    after: { ...payment, state: ended, source: 'provider', reinstatedBy: null },
    history: payment.lateAfter === ended ? [] : [endsWithoutMoney[ended]], // that was told when it first ended so
  };
}

export function endRefund(payment: Payment): Move | undefined {
  if (payment.state !== 'REFUNDING') return undefined;
  return { after: { ...payment, state: 'REFUNDED' }, history: ['PAYMENT_REFUNDED'] };
}

/** The outcome may be the first word that the provider took the request: then this is told with it, and only once. */
function created(payment: Payment): HistoryState[] {
  return payment.accepted ? [] : ['PAYMENT_CREATED'];
}
