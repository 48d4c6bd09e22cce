/**
 * `created-orders`: an order starts its process, a customer's cancel or an operator's abort becomes a message to it.
 *
 * The engine is asked first, then the event is marked DONE, then the offset moves. A crash in between starts a second
 * process instance: harmless, its first task finds the reservation of the first and ends as "Duplicate".
 */
import { cancelTimeToLiveMs, messages } from '@ticket-saga/contract/messages';
import { startStep, startVariables } from '@ticket-saga/contract/jobs';
import type { AbortRequested, CancelRequested, CreatedOrdersEvent, OrderCreated } from '@ticket-saga/contract/topics';
import { durationMs } from '@ticket-saga/runtime/config';
import { crashPoint } from '@ticket-saga/runtime/crash-points';
import { isDone, markDone } from '@ticket-saga/runtime/inbox';
import { insertIntoOutbox } from '@ticket-saga/runtime/outbox';
import { stepEvent } from '@ticket-saga/runtime/step-events';
import type { z } from 'zod';
import { consumerName, type OrchestratorParts, type OrchestratorSettings } from './parts.ts';
import { start } from './start.ts';

/** The diagram's file name is its process id. */
const orderProcess = 'ticket-order';

export async function handleOrderEvent(parts: OrchestratorParts, event: CreatedOrdersEvent): Promise<void> {
  if (await isDone(parts.db, consumerName, event.idempotencyKey)) return;
  switch (event.type) {
    case 'ORDER_CREATED':
      return startOrder(parts, event);
    case 'ORDER_CANCEL_REQUESTED':
      return tellProcess(parts, event, messages.cancelOrder.name);
    case 'ORDER_ABORT_REQUESTED':
      return tellProcess(parts, event, messages.abortOrder.name);
    default:
      return event satisfies never;
  }
}

async function startOrder({ db, engine, logger, settings }: OrchestratorParts, event: OrderCreated): Promise<void> {
  const variables = startVariables.parse(variablesOf(event, settings));
  const { processInstanceKey, version } = await start(engine, orderProcess, variables);
  await crashPoint('engine start ticket-order.before-inbox', event.orderId);
  const place = {
    orderId: event.orderId,
    processInstanceKey,
    elementId: startStep.elementId,
    stage: startStep.stage,
    attempt: 1,
  };
  await db.$executeRaw`
    with started as (
      insert into started_process (order_id, process_instance_key, process_version)
      values (${event.orderId}::uuid, ${processInstanceKey}, ${version}) on conflict (order_id) do nothing
    ), told as (
      ${insertIntoOutbox([stepEvent(place, 'COMPLETED')])}
    )
    insert into inbox (consumer, idempotency_key) values (${consumerName}, ${event.idempotencyKey}) on conflict do nothing`;
  logger.info('process started', { orderId: event.orderId, processInstanceKey, version });
}

/** The variables that the process starts with; the time to pay is the setting, or the order's own shorter one. */
function variablesOf(event: OrderCreated, settings: OrchestratorSettings): z.input<typeof startVariables> {
  const own = event.paymentDeadline;
  const shorter = own !== undefined && durationMs(own) < durationMs(settings.PAYMENT_DEADLINE);
  return {
    orderId: event.orderId,
    items: event.items,
    paymentDeadline: shorter ? own : settings.PAYMENT_DEADLINE,
    startBy: new Date(Date.parse(event.occurredAt) + durationMs(settings.ORDER_MAX_AGE)).toISOString(),
    paymentToken: event.paymentToken ?? null,
  };
}

async function tellProcess(
  { db, engine, logger }: OrchestratorParts,
  event: CancelRequested | AbortRequested,
  name: string,
): Promise<void> {
  await engine.publishMessage({
    name,
    correlationKey: event.orderId,
    messageId: event.idempotencyKey,
    timeToLiveMs: cancelTimeToLiveMs,
    variables: {},
  });
  await crashPoint(`engine message ${name}.before-inbox`, event.orderId);
  await markDone(db, consumerName, event.idempotencyKey);
  logger.info('passed to the process', { orderId: event.orderId, message: name });
}
