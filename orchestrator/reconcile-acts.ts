/**
 * What each repair does. All go through the ordinary steps, whose state machines make them harmless where they come too
 * late or twice.
 */
import { messages } from '@ticket-saga/contract/messages';
import { outboxRow, stockRow } from '@ticket-saga/contract/reconciliation';
import { paymentState, reservationState } from '@ticket-saga/contract/states';
import { isDone } from '@ticket-saga/runtime/inbox';
import { z } from 'zod';
import { noteProcess } from './further-processes.ts';
import { consumerName } from './parts.ts';
import type { Finding, RepairName } from './reconcile-kinds.ts';
import type { ReconcileParts } from './reconcile-parts.ts';
import { isService, serviceNames } from './reconcile-sources.ts';
import type { Run } from './reconcile-runs.ts';
import { openRefundOf, requestRefund } from './refunds.ts';

const orderProcess = 'ticket-order';
/** What the customer reads as the reason. */
const lost = { reasonCode: 'ABORTED_BY_OPERATOR', reasonMessage: 'The order could not be carried on and was undone.' };
/** What Start refund maps out, which has not run in a process that starts behind it. */
const refunded = { reasonCode: 'REFUNDED_BY_OPERATOR', reasonMessage: null };

const answered = {
  published: z.object({ published: z.boolean() }),
  told: z.object({ type: z.string() }),
  payment: z.object({ state: paymentState }),
  settled: z.object({ state: paymentState, done: z.string() }),
  atProvider: z.object({ status: z.string() }),
  reservation: z.object({ state: reservationState }),
  codes: z.object({ codes: z.int() }),
};

type Why = Pick<Run, 'operator' | 'reason'>;
/** Returns what was done, for the audit trail; throws what a service or the engine has against it. */
type Act = (parts: ReconcileParts, finding: Finding, why: Why) => Promise<Record<string, unknown>>;

export const acts: Record<RepairName, Act> = {
  'publish-order': async (parts, finding) => {
    const orderId = orderOf(finding);
    // The engine was asked to start it, and nobody knows the instance: publishing again would change nothing.
    if (await isDone(parts.db, consumerName, `order:${orderId}:created`))
      return startAt(parts, orderId, orderProcess, 'StopOrder', lost);
    return parts.services.post('order', `/reconciliation/orders/${orderId}/publish`, {}, answered.published);
  },
  abort: (parts, finding) => startAt(parts, orderOf(finding), orderProcess, 'StopOrder', lost),
  // Late money that came to count for the order goes back too, and the tickets are those that are held or sold now.
  'undo-again': (parts, finding) => {
    const { held } = foundIn(finding);
    const more = { ...lost, orderRefund: true, ...(held ? { reservationId: held } : {}) };
    return startAt(parts, orderOf(finding), orderProcess, 'AbortCancelPayment', more);
  },
  // Behind its first step, which is the order's and done. The others are whichever process's they are, and harmless twice.
  'refund-again': (parts, finding) => {
    const orderId = orderOf(finding);
    const more = { ...refunded, reservationId: foundIn(finding).held ?? orderId };
    return startAt(parts, orderId, 'refund-order', 'RefundPayment', more);
  },
  // As an operator's: the runner carries it out, and shows how far it is.
  refund: async (parts, finding, { operator, reason }) => {
    const orderId = orderOf(finding);
    const asked = await openRefundOf(parts.db, orderId);
    return { refundId: asked ?? (await requestRefund(parts, { operator, reason, orderId })) };
  },
  'publish-result': ({ services }, finding) =>
    services.post('payment', `/payments/${orderOf(finding)}/republish`, {}, answered.told),
  'ask-provider': ({ services }, { subject }) =>
    services.post('payment', `/reconciliation/payments/${subject}/ask`, {}, answered.payment),
  'end-process': async ({ engine }, finding) => {
    const { name } = messages.abortOrder;
    await engine.publishMessage({
      name,
      correlationKey: orderOf(finding),
      messageId: `repair:${finding.subject}:${Date.now()}`,
      // It waits for this message all the time; what it cannot take now must not hit a later process.
      timeToLiveMs: 1_000,
      variables: {},
    });
    return { message: name };
  },
  'cancel-process': async ({ engine }, { subject }) => {
    await engine.cancelProcess(subject);
    return { cancelled: subject };
  },
  'ticket-codes': ({ services }, finding) => {
    const path = `/reconciliation/orders/${orderOf(finding)}/ticket-codes`;
    return services.post('order', path, {}, answered.codes);
  },
  'release-tickets': async ({ services }, finding) => {
    const released: Record<string, unknown> = {};
    for (const [reservationId, text] of Object.entries(foundIn(finding).reservations ?? {})) {
      if (!/^(HELD|CONFIRMED)\b/.test(text)) continue;
      const path = '/reconciliation/reservations/release';
      released[reservationId] = (await services.post('inventory', path, { reservationId }, answered.reservation)).state;
    }
    return { released };
  },
  'recount-stock': ({ services }, { subject }) =>
    services.post('inventory', `/reconciliation/stock/${encodeURIComponent(subject)}/recount`, {}, stockRow),
  'return-payment': ({ services }, finding) => {
    const { payment } = foundIn(finding);
    if (!payment) throw new Error('The mismatch names no payment.');
    return services.post('payment', `/reconciliation/payments/${payment.id}/return`, {}, answered.payment);
  },
  'settle-payment': ({ services }, { subject }) =>
    services.post('payment', `/reconciliation/payments/${subject}/settle`, {}, answered.settled),
  'return-at-provider': ({ services }, { subject }) => {
    const path = `/reconciliation/provider-payments/${encodeURIComponent(subject)}/return`;
    return services.post('payment', path, {}, answered.atProvider);
  },
  'publish-outbox': async ({ services, publishOutbox }, { subject }) => {
    if (!isService(subject)) return publishOutbox();
    return services.post(serviceNames[subject], '/reconciliation/outbox/publish', {}, outboxRow);
  },
};

/** What was found, as `reconcile-judge.ts` writes it down. */
const foundDetails = z.object({
  held: z.string().nullish(),
  reservations: z.record(z.string(), z.string()).optional(),
  payment: z.object({ id: z.string() }).nullish(),
});
const foundIn = ({ details }: Finding) => foundDetails.parse(details);

/** Starts a process of the order at an element, and remembers the instance: the next run asks whether it lives. */
async function startAt(
  { db, engine }: ReconcileParts,
  orderId: string,
  processId: string,
  elementId: string,
  variables: object,
) {
  const processInstanceKey = await engine.startProcessAt(processId, elementId, { orderId, ...variables });
  await noteProcess(db, orderId, processInstanceKey);
  return { processInstanceKey, startedAt: elementId };
}

function orderOf({ orderId }: Finding): string {
  if (orderId === null) throw new Error('The mismatch names no order.');
  return orderId;
}
