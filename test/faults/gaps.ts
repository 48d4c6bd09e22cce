/** How long a step stood still before it was begun again, from the timeline that the services wrote themselves. */
import { query } from '../support/system.ts';

export type Gap = { orderId: string; elementId: string; seconds: number; from: Date; to: Date };
export type Outage = { part: string; from: number; to: number };

/**
 * Each time between two RUNNING of one step (an attempt at an element instance) of these orders, longest first: somebody
 * had it in hand and did not finish, another took it over. A RUNNING is told for every activation of the job; one may be
 * lost while Kafka is away, then the gap only looks longer.
 */
export async function gapsOf(orderIds: readonly string[]): Promise<Gap[]> {
  const rows = await query<{ order_id: string; element_id: string; before: Date; at: Date }>(
    `select order_id, element_id, before, at from (
       select order_id, element_id, at, lag(at) over (
         partition by order_id, process_instance_key, element_id,
           split_part(idempotency_key, ':', 4), attempt order by at) as before
       from orders.step_event where state = 'RUNNING' and order_id = any($1::uuid[])) as runs
     where before is not null order by at - before desc`,
    [orderIds],
  );
  return rows.map(({ order_id: orderId, element_id: elementId, before, at }) => ({
    orderId,
    elementId,
    seconds: (at.getTime() - before.getTime()) / 1_000,
    from: before,
    to: at,
  }));
}

/** What was away for both processes of a service while the step stood still; undefined: nothing was. */
export function outageIn(gap: Gap, outages: readonly Outage[]): Outage | undefined {
  return outages.find(({ from, to }) => from <= gap.to.getTime() && gap.from.getTime() <= to);
}
