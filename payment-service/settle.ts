/** Moves a payment on to where a step wants it: each intent is committed, then called for, then its outcome committed. */
import { PassingFault, PermanentError } from '@ticket-saga/runtime/errors';
import type { Context } from '@ticket-saga/runtime/job';
import type { OutboxEvent } from '@ticket-saga/runtime/outbox';
import { change, type ChangeParts } from './change.ts';
import { factEvent, factsOf } from './events.ts';
import { approve, decline, endRefund, endVoid, giveBack, isIntent, type Move } from './moves.ts';
import { paymentIdOf } from './payment-id.ts';
import { insertTombstone, type Payment, readByOrder } from './payment-row.ts';
import { isAsAsked, type Provider } from './provider.ts';

export type Parts = ChangeParts & { provider: Provider };

/**
 * Moves the payment on until `begin` finds nothing more to begin and no call is due. A run that finds an intent of an
 * earlier one goes on from there. The caller tells the step's end: that stays unsaid where the last move has told it.
 */
export async function settle(parts: Parts, orderId: string, context: Context, begin: Begin): Promise<Payment> {
  // The move that ends the step is told as the step's outcome, an earlier one as a fact.
  const timeline = (move: Move) => (isEnd(move.after, begin) ? context.completed(factsOf(move)) : factEvent(move));
  return moveOn(parts, await readOrEntomb(parts, orderId, context), begin, timeline);
}

type Begin = (payment: Payment) => Move | undefined;

function isEnd(payment: Payment, begin: Begin): boolean {
  return !isIntent(payment) && begin(payment) === undefined;
}

/** As `settle`, for whoever is no step: `timeline` tells each move. */
export async function moveOn(
  parts: Parts,
  known: Payment,
  begin: Begin,
  timeline: (move: Move) => OutboxEvent,
): Promise<Payment> {
  let payment = known;
  while (!isEnd(payment, begin)) {
    const decide = payment.state === 'VOIDING' || payment.state === 'REFUNDING' ? await ask(parts, payment) : begin;
    ({ payment } = await change(parts, payment, decide, { timeline }));
  }
  return payment;
}

async function readOrEntomb({ db }: Parts, orderId: string, context: Context): Promise<Payment> {
  for (;;) {
    const there = await readByOrder(db, orderId);
    if (there) return there;
    const completed = context.completed({ payment: { state: 'VOIDED' } });
    const entombed = await insertTombstone(db, { id: paymentIdOf(orderId), orderId }, [completed]);
    if (entombed) return entombed;
  }
}

/** Makes the call that an intent stands for; its answer says how the payment moves. */
function ask(parts: Parts, payment: Payment): Promise<(now: Payment) => Move | undefined> {
  return payment.state === 'VOIDING' ? askToVoid(parts, payment) : askToRefund(parts, payment);
}

async function askToVoid({ provider }: Parts, payment: Payment): Promise<(now: Payment) => Move | undefined> {
  const answer = await provider.void(payment);
  switch (answer.status) {
    case 'VOIDED':
      return endVoid;
    case 'DECLINED':
      return (now) => decline(now, 'provider', answer.declineReason ?? 'declined');
    case 'APPROVED':
      // The approval beat the void. One that was not asked for does not pay the order: it goes back.
      return isAsAsked(payment, { amount: answer.approvedAmount, currency: answer.currency })
        ? (now) => approve(now, 'provider')
        : giveBack;
    case 'REFUNDED':
      return giveBack;
    case 'PENDING':
      throw new PassingFault('PROVIDER_UNDECIDED', 'The payment provider has neither voided nor decided the payment.');
  }
}

async function askToRefund({ provider }: Parts, payment: Payment): Promise<(now: Payment) => Move | undefined> {
  if (payment.source === 'manual') {
    // Approved by hand: at the provider it is still open. Nothing to give back there, but it must not be approved later.
    const { status } = await provider.void(payment);
    if (status === 'VOIDED' || status === 'DECLINED')
      return (now) => (now.source === 'manual' ? endRefund(now) : undefined);
  }
  const { status } = await provider.refund(payment);
  if (status === 'REFUNDED') return (now) => endRefund({ ...now, source: 'provider' });
  throw new PermanentError(
    'PROVIDER_DISAGREES',
    `To a refund the payment provider says that the payment is ${status}.`,
  );
}
