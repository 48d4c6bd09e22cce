/** What the services tell the orchestrator over HTTP for its operators. */
import { z } from 'zod';
import { orderStatus, stage } from './states.ts';

const instant = z.iso.datetime();

/**
 * A place where an order hangs. `STUCK`: a step that gave up, or an incident of the engine. `SILENT`: an order on its
 * way from which nothing was heard for too long, with no such step.
 */
export const stuckStep = z.object({
  orderId: z.uuid(),
  status: orderStatus,
  kind: z.enum(['STUCK', 'SILENT']),
  /** Null where a silent order shows no step that is open. */
  step: z.object({ id: z.string(), name: z.string(), stage }).nullable(),
  /** The process id, which is the diagram's file name: `bpmn/<processId>.bpmn`. */
  processId: z.string(),
  since: instant,
  tries: z.int(),
  error: z.object({ code: z.string(), message: z.string() }).nullable(),
  /** Null before there is a process: the order's message is a dead letter. */
  processInstanceKey: z.string().nullable(),
  /** Tells this run of the step from the next. */
  elementInstanceKey: z.string().nullable(),
});
export type StuckStep = z.infer<typeof stuckStep>;

/** Answer of order-service to `GET /stuck-orders`: the oldest first. */
export const stuckPage = z.object({ items: z.array(stuckStep), nextCursor: z.string().nullable() });
