/** Plays a scenario: places its order, acts on the way, and says whether it ended as it should. */
import type { Scenario } from './scenarios.ts';
import type { OrderView, Shop } from './shop.ts';

/** Why the order is not (yet) as the scenario wants it; undefined when all is well. */
export function missing({ ends }: Scenario, order: OrderView, sawIt: boolean): string | undefined {
  if (!order.finished) return `is ${order.status}, must end ${ends.status}`;
  if (order.status !== ends.status) return `ended ${order.status}, not ${ends.status}`;
  if ((order.reason?.code ?? undefined) !== ends.reason)
    return `reason ${order.reason?.code ?? 'none'}, not ${ends.reason ?? 'none'}`;
  if (ends.payment !== undefined && order.payment?.state !== ends.payment)
    return `payment ${order.payment?.state ?? 'none'}, not ${ends.payment}`;
  const states = new Set(order.history.map((entry) => entry.state));
  const lacking = (ends.history ?? []).filter((state) => !states.has(state));
  if (lacking.length > 0) return `history lacks ${lacking.join(', ')}`;
  if (ends.seen && !sawIt) return `${ends.seen.step} was never seen ${ends.seen.state}`;
  if (ends.status === 'CONFIRMED' && order.tickets.length === 0) return 'no tickets';
  return undefined;
}

/** Places the order and follows it until it has ended as it should, or the time is over. */
export async function play(
  scenario: Scenario,
  shop: Shop,
  onChange: (order: OrderView) => void = () => undefined,
  withinMs = 90_000,
): Promise<{ order: OrderView; problem: string | undefined }> {
  let order = await shop.place(await scenario.order(shop));
  let acted = false;
  let sawIt = false;
  const end = Date.now() + withinMs;
  for (;;) {
    onChange(order);
    const { seen } = scenario.ends;
    // A state that is over soon may fall between two looks; its event in the steps' errors and attempts remains.
    sawIt ||=
      !!seen &&
      order.steps.some(
        (step) =>
          step.id === seen.step && (step.state === seen.state || (seen.state === 'RETRYING' && step.attempts > 1)),
      );
    if (scenario.act && !acted) acted = await scenario.act(shop, order);
    const problem = missing(scenario, order, sawIt);
    if (problem === undefined || Date.now() > end) return { order, problem };
    // An order that has ended wrongly gets a moment more: what follows the end (a late payment) may still come.
    await new Promise((resolve) => setTimeout(resolve, 250));
    order = await shop.order(order.id);
  }
}
