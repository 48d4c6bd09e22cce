/** Begins a stuck step anew, for an operator who has seen to its cause. */
import { jobs } from '@ticket-saga/contract/jobs';
import { crashPoint } from '@ticket-saga/runtime/crash-points';
import { grpc, grpcCode } from '@ticket-saga/runtime/engine';
import { insertIntoOutbox } from '@ticket-saga/runtime/outbox';
import { Problem } from '@ticket-saga/runtime/problem';
import { stepEvent } from '@ticket-saga/runtime/step-events';
import { insertAudit } from './audit.ts';
import { readOrderState, stateInWords } from './order-state.ts';
import type { OrchestratorParts } from './parts.ts';
import { listStuck, type StuckView } from './stuck.ts';

export type RetryEntry = {
  operator: string;
  reason: string;
  orderId: string;
  elementId: string;
  /** The run of the step that the operator saw; another one is refused. */
  elementInstanceKey?: string | undefined;
};

/** Throws 404 ORDER_NOT_FOUND; 409 STALE_ACTION when the step is not stuck any more, ACTION_NOT_POSSIBLE. */
export async function retryStep(parts: OrchestratorParts, entry: RetryEntry): Promise<StuckView> {
  const { orderId, elementId } = entry;
  const { items } = await listStuck(parts, { orderId, step: elementId, limit: 1 });
  const [stuck] = items;
  if (!stuck || (entry.elementInstanceKey ?? stuck.elementInstanceKey) !== stuck.elementInstanceKey) {
    throw stale(stateInWords(await readOrderState(parts, orderId)));
  }
  await retryStuck(parts, entry, stuck);
  return stuck;
}

/** As `retryStep`, for a step that was just seen stuck. The engine decides: what has moved on meanwhile is refused. */
export async function retryStuck(
  parts: OrchestratorParts,
  entry: Omit<RetryEntry, 'orderId' | 'elementId'>,
  { orderId, step, processInstanceKey, elementInstanceKey }: StuckView,
): Promise<void> {
  if (!step || processInstanceKey === null) {
    throw new Problem('ACTION_NOT_POSSIBLE', 'No process runs for the order yet: replay its dead letter.');
  }
  const at = new Date();
  const place = { processInstanceKey, elementInstanceKey, elementId: step.id };
  await crashPoint('retry step.before-engine', orderId);
  const how = await restart(parts, place).catch((error: unknown) => {
    const code = grpcCode(error);
    if (code === grpc.notFound) throw stale(`The process instance ${processInstanceKey}, or its incident, is gone.`);
    if (code === grpc.invalidArgument) throw stale(`${step.name} has moved on meanwhile.`);
    throw error;
  });
  await crashPoint('retry step.before-noted', orderId);
  const told = stepEvent(
    {
      orderId,
      processInstanceKey,
      elementId: step.id,
      ...(elementInstanceKey === null ? {} : { elementInstanceKey }),
      stage: step.stage,
      attempt: 1,
      activation: at.toISOString(),
    },
    'WAITING',
    {},
    at,
  );
  const details = { elementId: step.id, processInstanceKey, elementInstanceKey, how };
  await parts.db.$executeRaw`
    with told as (${insertIntoOutbox([told])})
    ${insertAudit({ ...entry, orderId, action: 'retry-step', outcome: 'done', details })}`;
  parts.logger.info('step begun anew', { orderId, operator: entry.operator, ...details });
}

type Place = { processInstanceKey: string; elementInstanceKey: string | null; elementId: string };

/**
 * A new element instance needs only what the step's own events told. Not so for a compensation handler: begun anew, it
 * is no longer the one that the undo waits for, and the undo would wait for ever (seen on 8.6.0). Its job gets new tries.
 */
async function restart({ engine, operate, compensationHandlers }: OrchestratorParts, place: Place): Promise<string> {
  const { processInstanceKey, elementInstanceKey, elementId } = place;
  if (elementInstanceKey !== null && !compensationHandlers.has(elementId)) {
    await engine.restartElement({ processInstanceKey, elementInstanceKey, elementId });
    return 'restarted';
  }
  const incident = await operate.incidentAt(processInstanceKey, elementId);
  if (!incident) throw stale(`Operate, which is some seconds late, shows no open incident at ${elementId}.`);
  await engine.resolveIncident(incident, mostTries);
  return 'resolved';
}

const mostTries = Math.max(...Object.values(jobs).map(({ tries }) => tries));

const stale = (sentence: string) => new Problem('STALE_ACTION', sentence);
