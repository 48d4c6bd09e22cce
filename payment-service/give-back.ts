/** Money that belongs to nothing goes back, for the reconciliation: of a payment without an order, or unknown to us. */
import type { PaymentState } from '@ticket-saga/contract/states';
import { PermanentError } from '@ticket-saga/runtime/errors';
import { Problem } from '@ticket-saga/runtime/problem';
import { z } from 'zod';
import { agreeWithProvider } from './agree.ts';
import { repairEvent } from './events.ts';
import { startReturn } from './moves.ts';
import { readById } from './payment-row.ts';
import type { ProviderAnswer } from './provider.ts';
import { moveOn, type Parts } from './settle.ts';

/**
 * Voids what is open and gives back what was taken, as the refund of an order does, late money too. Again it answers the
 * same; what has ended without money stays.
 * @throws Problem 404 PAYMENT_NOT_FOUND; PassingFault and PermanentError of the provider
 */
export async function giveBackPayment(parts: Parts, id: string): Promise<{ state: PaymentState }> {
  const known = await readById(parts.db, id);
  if (!known) throw new Problem('PAYMENT_NOT_FOUND', `There is no payment ${id}.`);
  try {
    return { state: (await moveOn(parts, known, startReturn, repairEvent)).state };
  } catch (error) {
    // The provider has nothing to give back. Then it says how the payment ended.
    if (!(error instanceof PermanentError)) throw error;
    return { state: (await agreeWithProvider(parts, id)).state };
  }
}

/**
 * Gives back what the provider has and we do not know. The keys are the same for each try, so that it is done once.
 * @throws Problem 404 PAYMENT_NOT_FOUND when the provider does not know it either; 409 ACTION_NOT_POSSIBLE when it is a
 *   payment of ours; PassingFault and PermanentError of the provider
 */
export async function giveBackUnknown(parts: Parts, reference: string): Promise<{ status: ProviderAnswer['status'] }> {
  const { provider, db, logger } = parts;
  const there = { id: reference };
  // Asked first: our row is always written before the provider hears of a payment.
  let answer = await provider.query(there);
  if (!answer) throw new Problem('PAYMENT_NOT_FOUND', `The payment provider has no payment ${reference}.`);
  if (z.uuid().safeParse(reference).success && (await readById(db, reference))) {
    throw new Problem('ACTION_NOT_POSSIBLE', `${reference} is a payment of ours: settle it, or return its money.`);
  }
  // What is decided while it is being voided goes back like the rest.
  if (answer.status === 'PENDING') answer = await provider.void(there, `return-void:${reference}`);
  if (answer.status === 'APPROVED') answer = await provider.refund(there, `return-refund:${reference}`);
  logger.info('books: returned what we do not know', { reference, status: answer.status });
  return { status: answer.status };
}
