/**
 * The steps of the process that deal with the provider: request a payment, close it at its deadline, cancel it. Each
 * commits its intent, calls, and commits the outcome; a run in any state but the intent makes no call (ARCHITECTURE 5).
 */
import type { jobs } from '@ticket-saga/contract/jobs';
import type { PaymentOutcome } from '@ticket-saga/contract/states';
import { PassingFault, PermanentError } from '@ticket-saga/runtime/errors';
import type { Context } from '@ticket-saga/runtime/job';
import { addToOutbox } from '@ticket-saga/runtime/outbox';
import type { z } from 'zod';
import { change, type ChangeParts } from './change.ts';
import { factEvent, factsOf } from './events.ts';
import { accept, approve, decline, endRefund, endVoid, giveBack, type Move, startRefund, startVoid } from './moves.ts';
import { paymentIdOf } from './payment-id.ts';
import { insertRequested, insertTombstone, type Payment, readByOrder } from './payment-row.ts';
import { isAsAsked, type Provider } from './provider.ts';

export type Parts = ChangeParts & { provider: Provider };

/** Asks the provider for the money, unless the time to pay is over or the payment has moved on. */
export async function requestPayment(
  parts: Parts,
  input: z.output<typeof jobs.requestPayment.input>,
  context: Context,
): Promise<Record<string, never>> {
  const { orderId, total, payBy, paymentToken } = input;
  const wanted = { id: paymentIdOf(orderId), orderId, amount: total, token: paymentToken ?? null, payBy };
  const payment = (await insertRequested(parts.db, wanted)) ?? (await readByOrder(parts.db, orderId));
  if (payment?.state === 'REQUESTED' && !payment.accepted && payment.inTime) {
    const answer = await parts.provider.request(payment);
    // VOIDED: the provider knew of the cancel before it heard of the request.
    if (answer.status !== 'VOIDED') {
      const timeline = (move: Move) => context.completed(factsOf(move));
      const { moved } = await change(parts, payment, (now) => accept(now, answer.id), { timeline });
      if (moved) return {};
    }
  }
  await addToOutbox(parts.db, [context.completed()]);
  return {};
}

/** At the deadline: voids the payment, unless it was decided after all, and says what it is. */
export async function closePayment(
  parts: Parts,
  { orderId }: { orderId: string },
  context: Context,
): Promise<{ paymentOutcome: PaymentOutcome }> {
  const payment = await settle(parts, orderId, context, startVoid);
  return { paymentOutcome: outcomeOf(payment) };
}

/** The undo of `requestPayment`: voids what is open, refunds what is approved. A late approval is not its business. */
export async function cancelPayment(
  parts: Parts,
  { orderId }: { orderId: string },
  context: Context,
): Promise<Record<string, never>> {
  await settle(parts, orderId, context, (payment) =>
    payment.state === 'APPROVED' ? startRefund(payment) : startVoid(payment),
  );
  return {};
}

/**
 * Moves the payment on until `begin` finds nothing more to begin and no call is due. A run that finds an intent of an
 * earlier one goes on from there.
 */
async function settle(
  parts: Parts,
  orderId: string,
  context: Context,
  begin: (payment: Payment) => Move | undefined,
): Promise<Payment> {
  const isEnd = (payment: Payment) => !isIntent(payment) && begin(payment) === undefined;
  // The move that ends the step is told as the step's outcome, an earlier one as a fact.
  const timeline = (move: Move) => (isEnd(move.after) ? context.completed(factsOf(move)) : factEvent(move));
  let payment = await readOrEntomb(parts, orderId, context);
  while (!isEnd(payment)) {
    const decide = payment.state === 'VOIDING' || payment.state === 'REFUNDING' ? await ask(parts, payment) : begin;
    ({ payment } = await change(parts, payment, decide, { timeline }));
  }
  await addToOutbox(parts.db, [context.completed()]); // stays unsaid where the last move has told it
  return payment;
}

function isIntent({ state }: Payment): boolean {
  return state === 'REQUESTED' || state === 'VOIDING' || state === 'REFUNDING';
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
    if (status === 'VOIDED' || status === 'DECLINED') return endRefund;
  }
  const { status } = await provider.refund(payment);
  if (status === 'REFUNDED') return endRefund;
  throw new PermanentError(
    'PROVIDER_DISAGREES',
    `To a refund the payment provider says that the payment is ${status}.`,
  );
}

/** What the process is told. A late approval changes nothing about how the payment ended before it. */
function outcomeOf({ state, lateAfter }: Payment): PaymentOutcome {
  if (state === 'APPROVED' || state === 'DECLINED') return state;
  return state === 'LATE' && lateAfter === 'DECLINED' ? 'DECLINED' : 'VOIDED';
}
