/** One job from activation to its end, with the three classes of failure (ARCHITECTURE 4). Testable without an engine. */
import { type BpmnErrorCode, reasons } from '@ticket-saga/contract/errors';
import type { Job } from '@ticket-saga/contract/jobs';
import { z } from 'zod';
import { backoffMs, busyPauseMs, pause } from './backoff.ts';
import { crashPoint } from './crash-points.ts';
import { type ActivatedJob, type Engine, grpc, grpcCode } from './engine.ts';
import { BusinessError, isBackPressure } from './errors.ts';
import { errorFields, type Logger } from './logger.ts';
import type { OutboxEvent } from './outbox.ts';
import { attemptOf, stepEvent, type StepFacts, type StepPlace } from './step-events.ts';
import { codeOf, judge } from './verdict.ts';

export type Context = {
  processInstanceKey: string;
  /** Counts from 1. */
  attempt: number;
  logger: Logger;
  /** The event of this step's success: the handler writes it to the outbox in the transaction of its effect. */
  completed(facts?: StepFacts): OutboxEvent;
  /** The event of this step's business outcome: as `completed`, before the handler throws the `BusinessError`. */
  failed(code: BpmnErrorCode, message: string, facts?: StepFacts): OutboxEvent;
};

export type Handler<Input extends z.ZodObject, Output extends z.ZodObject> = (
  input: z.output<Input>,
  context: Context,
) => Promise<z.input<Output>>;

/** How the worker tells the timeline what no effect tells. Both may lose an event: the outcome comes with the effect. */
export type JobReport = {
  /** RUNNING: best effort, straight to Kafka. */
  started(event: OutboxEvent): void;
  /** RETRYING, STUCK: through the outbox. */
  trouble(event: OutboxEvent): Promise<void>;
};

export type JobResult = 'completed' | 'business-error' | 'retrying' | 'stuck' | 'gone';

type Parts = {
  engine: Engine;
  report: JobReport;
  logger: Logger;
  /** Before a step whose dependency failed is tried again, ms; doubles with each try, eight times as long at the most. */
  retryBackOffMs: number;
};

const anyOrder = z.object({ orderId: z.uuid() });

/** Runs the handler and tells the engine how it ended. Rejects only when the engine cannot be told. */
export async function runJob<Input extends z.ZodObject, Output extends z.ZodObject>(
  job: Job<Input, Output>,
  handler: Handler<Input, Output>,
  activated: ActivatedJob,
  parts: Parts,
): Promise<JobResult> {
  const place = placeOf(job, activated);
  const point = `${job.type}.${activated.elementId}`;
  if (place) parts.report.started(stepEvent(place, 'RUNNING'));
  try {
    const input = job.input.parse(activated.variables);
    await crashPoint(`${point}.before`, place?.orderId);
    const output = job.output.parse(await handler(input, contextOf(activated, place, parts.logger)));
    await crashPoint(`${point}.after-effect`, place?.orderId);
    const told = await tell(parts, activated, () => parts.engine.completeJob(activated.key, output), 'completed');
    await crashPoint(`${point}.after-completion`, place?.orderId);
    return told;
  } catch (error) {
    if (error instanceof EngineAway) throw error.cause;
    if (error instanceof BusinessError && job.errors.includes(error.code)) {
      await crashPoint(`${point}.after-effect`, place?.orderId);
      const told = await throwBusinessError(parts, activated, error);
      await crashPoint(`${point}.after-completion`, place?.orderId);
      return told;
    }
    return failJob(job, activated, place, error, parts);
  }
}

function placeOf(job: Job, activated: ActivatedJob): StepPlace | undefined {
  const order = anyOrder.safeParse(activated.variables);
  if (!order.success) return undefined;
  return {
    orderId: order.data.orderId,
    processInstanceKey: activated.processInstanceKey,
    elementId: activated.elementId,
    elementInstanceKey: activated.elementInstanceKey,
    stage: job.stage,
    attempt: attemptOf(job, activated.retries),
    activation: activated.deadline,
    ...(job.undo ? { undo: job.undo } : {}),
  };
}

function contextOf(activated: ActivatedJob, place: StepPlace | undefined, logger: Logger): Context {
  const known = () => {
    if (!place) throw new Error('The job has no orderId: no step event can be written for it.');
    return place;
  };
  return {
    processInstanceKey: activated.processInstanceKey,
    attempt: place?.attempt ?? 1,
    logger,
    completed: (facts) => stepEvent(known(), 'COMPLETED', facts),
    failed: (code, message, facts) => stepEvent(known(), 'FAILED', { ...facts, error: { code, message } }),
  };
}

async function throwBusinessError(parts: Parts, activated: ActivatedJob, error: BusinessError): Promise<JobResult> {
  // The process sees no code of an error, only variables; the diagram maps them out on the boundary event.
  const isReason = error.code in reasons;
  const variables = {
    ...(isReason ? { reasonCode: error.code, reasonMessage: error.message } : {}),
    ...Object.fromEntries(Object.entries(error.variables).map(([name, value]) => [name, String(value)])),
  };
  const thrown = { errorCode: error.code, errorMessage: error.message, variables };
  return tell(parts, activated, () => parts.engine.throwError(activated.key, thrown), 'business-error');
}

async function failJob(
  job: Job,
  activated: ActivatedJob,
  place: StepPlace | undefined,
  error: unknown,
  parts: Parts,
): Promise<JobResult> {
  const verdict = judge(error, { ...parts, attempt: attemptOf(job, activated.retries), left: activated.retries });
  parts.logger.log(
    verdict.retries === 0 ? 'error' : 'warn',
    verdict.retries === 0 ? 'job is stuck' : 'job: trying again',
    {
      elementId: activated.elementId,
      orderId: place?.orderId,
      retries: verdict.retries,
      backOffMs: verdict.retryBackOff,
      ...errorFields(error),
    },
  );
  const state = verdict.retries === 0 ? 'STUCK' : 'RETRYING';
  const told = await tell(
    parts,
    activated,
    () => parts.engine.failJob(activated.key, verdict),
    verdict.retries === 0 ? 'stuck' : 'retrying',
  );
  if (place && told !== 'gone') {
    const event = stepEvent(place, state, { error: { code: codeOf(error), message: verdict.errorMessage } });
    await parts.report
      .trouble(event)
      .catch((unheard: unknown) => parts.logger.warn('timeline: not told', errorFields(unheard)));
  }
  return told;
}

class EngineAway extends Error {}

/**
 * Tells the engine, again and again while the job is ours. NOT_FOUND means the job is gone: done by another, or its
 * step was interrupted; the effect stands and the diagram has moved on.
 */
async function tell(
  parts: Parts,
  activated: ActivatedJob,
  send: () => Promise<unknown>,
  result: JobResult,
): Promise<JobResult> {
  for (let failures = 1; ; failures += 1) {
    try {
      await send();
      return result;
    } catch (error) {
      if (grpcCode(error) === grpc.notFound) return 'gone';
      const leaseEnds = Number(activated.deadline);
      const isBusy = isBackPressure(error);
      if ((failures >= 10 && !isBusy) || Date.now() > leaseEnds)
        throw new EngineAway('the engine cannot be told', { cause: error });
      parts.logger.log(isBusy ? 'debug' : 'warn', 'job: the engine does not listen, telling again', {
        failures,
        ...errorFields(error),
      });
      await pause(isBusy ? busyPauseMs(failures) : backoffMs(failures, 200, 3_000));
    }
  }
}
