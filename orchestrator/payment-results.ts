/**
 * `payment-event`: the payment's result becomes the message that the process waits for; money that came too late starts
 * a process of its own.
 */
import { latePaymentVariables, lateReservation } from '@ticket-saga/contract/jobs';
import { messages } from '@ticket-saga/contract/messages';
import type { PaymentEvent } from '@ticket-saga/contract/topics';
import { signatureHeader } from '@ticket-saga/contract/topics';
import { durationMs } from '@ticket-saga/runtime/config';
import type { MessageMeta } from '@ticket-saga/runtime/consumer';
import { crashPoint } from '@ticket-saga/runtime/crash-points';
import { PermanentError } from '@ticket-saga/runtime/errors';
import { isDone, markDone } from '@ticket-saga/runtime/inbox';
import { isSigned } from '@ticket-saga/runtime/signature';
import { noteProcess } from './further-processes.ts';
import { consumerName, type OrchestratorParts } from './parts.ts';
import { start } from './start.ts';

const lateProcess = 'late-payment';

export async function handlePaymentEvent(
  parts: OrchestratorParts,
  event: PaymentEvent,
  meta: MessageMeta,
): Promise<void> {
  const { db, logger, settings } = parts;
  if (!isSigned(settings.PAYMENT_EVENT_SECRET, meta.rawValue, meta.headers[signatureHeader])) {
    if (settings.AUTH_MODE === 'jwt')
      throw new PermanentError('NOT_BELIEVED', 'payment-service did not write this event.');
    // Written by hand: payment-service books it and writes an event of its own, so that its row alone decides.
    logger.info('payment event without a signature is left to payment-service', { orderId: event.orderId });
    return;
  }
  if (await isDone(db, consumerName, event.idempotencyKey)) return;
  if (event.type === 'PAYMENT_LATE') await startLatePayment(parts, event);
  else await passOn(parts, event);
  await crashPoint(`engine told ${event.type}.before-inbox`, event.orderId);
  await markDone(db, consumerName, event.idempotencyKey);
  logger.info('payment result passed on', { orderId: event.orderId, type: event.type });
}

async function passOn({ engine, settings }: OrchestratorParts, event: PaymentEvent): Promise<void> {
  const approved = event.type === 'PAYMENT_APPROVED';
  await engine.publishMessage({
    name: messages.paymentCallback.name,
    correlationKey: event.orderId,
    messageId: event.idempotencyKey,
    // An early answer waits for the process; after the deadline and its grace nobody waits for it any more.
    timeToLiveMs: durationMs(settings.PAYMENT_DEADLINE) + durationMs(settings.HOLD_GRACE),
    variables: messages.paymentCallback.variables.parse(
      approved ? { paymentOutcome: 'APPROVED' } : { paymentOutcome: 'DECLINED', reasonCode: 'PAYMENT_DECLINED' },
    ),
  });
}

/**
 * Started before the event is marked DONE. A crash in between starts a second instance, which is harmless: the second
 * reservation belongs to the first, and late money is accepted or given back by one of them only.
 */
async function startLatePayment(
  { db, engine, logger, settings }: OrchestratorParts,
  event: PaymentEvent,
): Promise<void> {
  const { orderId } = event;
  const variables = latePaymentVariables.parse({
    orderId,
    reservationId: lateReservation(orderId),
    paymentDeadline: settings.PAYMENT_DEADLINE,
    // FEEL compares days and times only: no months, no weeks.
    reinstateWithin: `PT${Math.ceil(durationMs(settings.REINSTATE_WITHIN) / 1_000)}S`,
  });
  const { processInstanceKey, version } = await start(engine, lateProcess, variables);
  await noteProcess(db, orderId, processInstanceKey, version);
  logger.info('late payment: process started', { orderId, processInstanceKey, version });
}
