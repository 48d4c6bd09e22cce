/** Tells the process a payment's result once more: its message may have expired before the process came to wait. */
import { paymentState } from '@ticket-saga/contract/states';
import { PermanentError } from '@ticket-saga/runtime/errors';
import { Problem } from '@ticket-saga/runtime/problem';
import { z } from 'zod';
import { addToAudit } from './audit.ts';
import { readOrderState, stateInWords } from './order-state.ts';
import type { OrchestratorParts } from './parts.ts';

export type RepublishEntry = { operator: string; reason: string; orderId: string };

const payment = z.object({ state: paymentState });
const told = z.object({ type: z.string(), idempotencyKey: z.string() });

/**
 * payment-service writes its signed event again, under a new key. A process that has moved on takes no notice. Throws
 * 404 ORDER_NOT_FOUND; 409 STALE_ACTION when nobody waits for a result any more, or there is none yet.
 */
export async function republishPayment(parts: OrchestratorParts, entry: RepublishEntry): Promise<z.infer<typeof told>> {
  const { orderId } = entry;
  const order = await readOrderState(parts, orderId);
  const found = await parts.services.find('payment', `/payments/${orderId}`, payment);
  // A late approval comes after the end of the order, and has a process of its own.
  if (!found || (order.finished && found.state !== 'LATE')) throw stale(order, found?.state);
  const again = await parts.services
    .post('payment', `/payments/${orderId}/republish`, {}, told)
    .catch((error: unknown) => {
      if (error instanceof PermanentError) throw stale(order, found.state);
      throw error;
    });
  await addToAudit(parts.db, { ...entry, action: 'republish-payment', outcome: 'done', details: again });
  parts.logger.info('payment result told again', { orderId, operator: entry.operator, ...again });
  return again;
}

function stale(order: Parameters<typeof stateInWords>[0], state: string | undefined): Problem {
  const money = state === undefined ? 'It has no payment.' : `Its payment is ${state}.`;
  return new Problem('STALE_ACTION', `${stateInWords(order)} ${money}`);
}
