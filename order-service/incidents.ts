/**
 * Incidents that no worker told of (an expression that fails, an error code that nobody catches) are merged in from
 * Operate, so that the order shows where it hangs.
 */
import type { Db } from '@ticket-saga/runtime/database';
import { errorFields, type Logger } from '@ticket-saga/runtime/logger';
import { type Diagram, saga } from './diagram.ts';
import type { Incident, Operate } from './operate.ts';
import { viewOrder } from './order-view.ts';
import { readOrder } from './read-orders.ts';
import { noteTrouble } from './trouble.ts';

const mostKnown = 10_000;

type Parts = { db: Db; diagram: Diagram; operate: Operate; logger: Logger };

/** Looks every `everyMs`; Operate away is no trouble of the shop. Returns the function that ends the looking. */
export function watchIncidents(parts: Parts, everyMs = 10_000): () => void {
  /** Those that need no second look: a memory of this process, lost without harm. */
  const known = new Set<string>();
  let quiet = false;
  let looking = false;
  const look = async () => {
    if (looking) return;
    looking = true;
    try {
      if (known.size > mostKnown) known.clear(); // the open ones are looked at once more
      await mergeIncidents(parts, known);
      quiet = false;
    } catch (error) {
      parts.logger.log(quiet ? 'debug' : 'warn', 'incidents cannot be merged in from Operate', errorFields(error));
      quiet = true;
    } finally {
      looking = false;
    }
  };
  const timer = setInterval(() => void look(), everyMs);
  return () => clearInterval(timer);
}

export async function mergeIncidents(parts: Parts, known: Set<string>): Promise<void> {
  for (const incident of await parts.operate.openIncidents(known)) {
    // An order whose start is still to be heard of is looked for again.
    if (await mergeIncident(parts, incident)) known.add(incident.key);
  }
}

/** Returns whether its order is known here. */
async function mergeIncident({ db, diagram, logger }: Parts, incident: Incident): Promise<boolean> {
  const [found] = await db.$queryRaw<{ orderId: string }[]>`
    select order_id::text as "orderId" from step_event where process_instance_key = ${incident.processInstanceKey} limit 1`;
  const row = found && (await readOrder(db, found.orderId));
  if (!row) return false;
  const order = viewOrder(row, diagram);
  if (order.steps.some((step) => step.id === incident.elementId && step.state === 'STUCK')) return true;
  const trouble = {
    idempotencyKey: `incident:${incident.key}`,
    orderId: order.id,
    occurredAt: incident.at,
    processInstanceKey: incident.processInstanceKey,
    elementId: incident.elementId,
    elementInstanceKey: incident.elementInstanceKey,
    stage: diagram.stageOf(incident.elementId) ?? order.stage,
    state: 'STUCK' as const,
    error: { code: 'INCIDENT', message: incident.message.slice(0, 2_000) },
  };
  const noted = await noteTrouble(db, trouble, (diagram.processOf(incident.elementId) ?? saga) !== saga);
  if (noted)
    logger.warn('an incident of the engine holds the order up', { orderId: order.id, elementId: incident.elementId });
  return true;
}
