/**
 * The state machine of a payment (ARCHITECTURE 5), as pure functions: from the row as it is to the row as it becomes,
 * or undefined where nothing changes.
 *
 *     REQUESTED → APPROVED | DECLINED | VOIDING → VOIDED        DECLINED, VOIDED → LATE (an approval that came too late)
 *     VOIDING → APPROVED | DECLINED: they beat the void          APPROVED → REFUNDING → REFUNDED
 *     VOIDING → REFUNDING: the provider took what was not asked for; it is given back
 *     REFUNDED → LATE: only what was given back by hand (`source` manual: no money moved), when the provider takes it after all
 *     LATE → APPROVED (by one process instance, for its reinstated order) | REFUNDING: whoever is first decides
 */
import type { HistoryState } from '@ticket-saga/contract/states';
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

export function endRefund(payment: Payment): Move | undefined {
  if (payment.state !== 'REFUNDING') return undefined;
  return { after: { ...payment, state: 'REFUNDED' }, history: ['PAYMENT_REFUNDED'] };
}

/** The outcome may be the first word that the provider took the request: then this is told with it, and only once. */
function created(payment: Payment): HistoryState[] {
  return payment.accepted ? [] : ['PAYMENT_CREATED'];
}
