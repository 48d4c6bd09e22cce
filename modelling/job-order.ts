/** Where an order stands as order-service sees it: says why no job of it waits for a worker. */
import { orderStatus, stepState } from '@ticket-saga/contract/states';
import { z } from 'zod';
import type { Step } from './job-places.ts';
import type { Places } from './job-settings.ts';

const orderSeen = z.object({
  status: orderStatus,
  finished: z.boolean(),
  currentStep: z.string().nullable(),
  payBy: z.string().nullish(),
  steps: z.array(
    z.object({
      id: z.string(),
      name: z.string(),
      state: stepState,
      error: z.object({ message: z.string() }).nullish(),
    }),
  ),
});
export type OrderSeen = z.infer<typeof orderSeen>;
/** The order, or why it is not to be had, in words. */
export type Seen = OrderSeen | { away: string };

export async function seeOrder(places: Places, orderId: string): Promise<Seen> {
  try {
    const response = await fetch(`${places.orders}/orders/${encodeURIComponent(orderId)}`, {
      headers: { authorization: places.operator },
      signal: AbortSignal.timeout(2_000),
    });
    if (response.status === 404) return { away: `order-service at ${places.orders} knows no such order` };
    if (!response.ok) return { away: `order-service at ${places.orders} answers ${response.status}` };
    return orderSeen.parse(await response.json());
  } catch {
    return { away: `order-service at ${places.orders} does not answer` };
  }
}

/** Why there is nothing to do for a worker, and what helps. */
export function whyNothing(orderId: string, seen: Seen, steps: readonly Step[]): string {
  const nothing = `No step of order ${orderId} waits for a worker.`;
  if ('away' in seen) {
    return (
      `${nothing} A worker may have it in hand, it may wait for a message or a time, be stuck with an incident, or be over.\n` +
      `Operate shows which; ${seen.away}. A job type that is not in bpmn/ must be named: --type <type>.`
    );
  }
  if (seen.finished) return `${nothing} It has ended: ${seen.status}.`;
  const current = seen.steps.find(({ id }) => id === seen.currentStep);
  if (!current)
    return `${nothing} It is ${seen.status} and stands at no step that order-service knows: Operate shows more.`;
  const at = `It stands at "${current.name}" (${current.id})`;
  if (current.state === 'STUCK')
    return `${nothing} ${at}, which is stuck: ${current.error?.message ?? 'an incident'}\nRetry it in Operate.`;
  const { messages = [], timer = false } = steps.find(({ id }) => id === current.id) ?? {};
  if (messages.length > 0) {
    const until = timer ? `, or until ${seen.payBy ?? 'its time is over'}` : '';
    return `${nothing} ${at} and waits for the message ${messages.join(' or ')}${until}.\nSend it: npm run job -- message ${orderId} ${messages[0]}`;
  }
  if (current.state === 'RETRYING')
    return `${nothing} ${at}: a worker failed and tries again soon (${current.error?.message ?? 'no reason given'}).`;
  return `${nothing} ${at}, ${current.state}: a worker has it in hand, or has just done it. Stop that service to act in its stead.`;
}
