/**
 * Makes our books and the provider's agree on one payment, for the reconciliation: what the provider holds of ours that
 * nobody is to have goes back, and what it does not have we do not claim. Each round asks the provider, does one thing
 * by the ordinary moves and calls, and asks again; so it may break off anywhere and be begun anew.
 */
import type { PaymentState } from '@ticket-saga/contract/states';
import { Problem } from '@ticket-saga/runtime/problem';
import { z } from 'zod';
import { change } from './change.ts';
import { repairEvent } from './events.ts';
import { accept, endAsProvider, giveBackUnasked, startReturn, startVoid } from './moves.ts';
import { type Payment, readById } from './payment-row.ts';
import { bookAnswer } from './poller.ts';
import { isAsAsked, type ProviderAnswer } from './provider.ts';
import { moveOn, type Parts } from './settle.ts';

/** What helps, in the words of the audit trail. */
export type Remedy =
  | 'requested again'
  | 'booked what the provider decided'
  | 'voided'
  | 'voided at the provider'
  | 'given back'
  | 'refunded at the provider'
  | 'set to what the provider says'
  | 'ended what was begun';

/**
 * Undefined where the books agree. The money of a payment that has ended goes back as it was not asked for; where it is
 * just what was asked, it is late money as any other, and the policy for that decides.
 * @param theirs undefined: the provider has never heard of it
 */
export function remedyFor(ours: Payment, theirs: ProviderAnswer | undefined): Remedy | undefined {
  const there = theirs?.status ?? 'UNKNOWN';
  const asAsked = theirs !== undefined && isAsAsked(ours, { ...theirs, amount: theirs.approvedAmount });
  const byHand = ours.source === 'manual'; // of this the provider need know nothing
  switch (ours.state) {
    case 'REQUESTED':
      if (there === 'PENDING') return undefined;
      if (there === 'UNKNOWN') return ours.inTime ? 'requested again' : 'voided';
      return there === 'DECLINED' || (there === 'APPROVED' && asAsked) ? 'booked what the provider decided' : 'voided';
    case 'DECLINED':
    case 'VOIDED':
    case 'REFUNDED':
      if (there === 'APPROVED') return remedyForTaken(ours, asAsked);
      if (byHand) return undefined;
      return there === 'PENDING' || (there === 'UNKNOWN' && ours.accepted) ? 'voided at the provider' : undefined;
    case 'APPROVED':
    case 'LATE':
      if (there === 'APPROVED') return asAsked ? undefined : 'given back';
      if (there === 'REFUNDED') return 'set to what the provider says';
      return byHand ? undefined : remedyForMissing(there);
    case 'REFUNDING':
      if (there === 'REFUNDED') return 'set to what the provider says';
      return byHand || there === 'APPROVED' ? 'ended what was begun' : remedyForMissing(there);
    case 'VOIDING':
      return 'ended what was begun';
    default:
      return ours.state satisfies never;
  }
}

/** Ours has ended without money, and the provider has some. */
function remedyForTaken({ state, source }: Payment, asAsked: boolean): Remedy {
  if (state === 'REFUNDED') {
    return source === 'manual' && asAsked ? 'booked what the provider decided' : 'refunded at the provider';
  }
  return asAsked ? 'booked what the provider decided' : 'given back';
}

/** Ours counts on money that the provider does not have: first it must not take it any more. */
function remedyForMissing(there: string): Remedy {
  return withoutMoney.safeParse(there).success ? 'set to what the provider says' : 'voided at the provider';
}

const withoutMoney = z.enum(['DECLINED', 'VOIDED', 'REFUNDED']);

type Act = (parts: Parts, ours: Payment, theirs: ProviderAnswer | undefined) => Promise<unknown>;

const acts: Record<Remedy, Act> = {
  'requested again': async (parts, ours) => {
    const answer = await parts.provider.request(ours);
    if (answer.status === 'VOIDED') return; // a void that was heard first; the next round sees to it
    await change(parts, ours, (now) => accept(now, answer.id), { timeline: repairEvent });
  },
  'booked what the provider decided': async (parts, ours, theirs) => {
    if (theirs) await bookAnswer(parts, ours, theirs);
  },
  voided: (parts, ours) => moveOn(parts, ours, startVoid, repairEvent),
  // Keys of their own, the same for each try: the ordinary ones may be answered for ever by what they did before.
  'voided at the provider': ({ provider }, ours) => provider.void(ours, `settle-void:${ours.id}`),
  'given back': (parts, ours) => {
    const begin = ours.state === 'DECLINED' || ours.state === 'VOIDED' ? giveBackUnasked : startReturn;
    return moveOn(parts, ours, begin, repairEvent);
  },
  'refunded at the provider': ({ provider }, ours) => provider.refund(ours, `settle-refund:${ours.id}`),
  'set to what the provider says': async (parts, ours, theirs) => {
    const ended = withoutMoney.safeParse(theirs?.status).data;
    if (ended) await change(parts, ours, (now) => endAsProvider(now, ended), { timeline: repairEvent });
  },
  'ended what was begun': (parts, ours) => moveOn(parts, ours, () => undefined, repairEvent),
};

/**
 * @returns the payment's state after it, and what was done: nothing where the books agree
 * @throws Problem 404 PAYMENT_NOT_FOUND; 409 ACTION_NOT_POSSIBLE when they still differ after what should have helped;
 *   PassingFault and PermanentError of the provider
 */
export async function agreeWithProvider(parts: Parts, id: string): Promise<{ state: PaymentState; done: Remedy[] }> {
  const done: Remedy[] = [];
  for (;;) {
    const ours = await readById(parts.db, id);
    if (!ours) throw new Problem('PAYMENT_NOT_FOUND', `There is no payment ${id}.`);
    const theirs = await parts.provider.query(ours);
    const remedy = remedyFor(ours, theirs);
    if (!remedy) return { state: ours.state, done };
    if (done.includes(remedy)) {
      const both = `The payment is ${ours.state}, at the provider ${theirs?.status ?? 'unknown'}`;
      throw new Problem('ACTION_NOT_POSSIBLE', `${both}, although it was ${remedy}.`);
    }
    await acts[remedy](parts, ours, theirs);
    done.push(remedy);
    parts.logger.info('books: settled with the provider', { orderId: ours.orderId, paymentId: id, remedy });
  }
}
