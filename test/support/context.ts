/** The context that a worker gives its handler, without an engine: for tests that call handlers directly. */
import type { BpmnErrorCode } from '../../contract/errors.ts';
import type { Job } from '../../contract/jobs.ts';
import type { Context } from '../../runtime/job.ts';
import { createLogger } from '../../runtime/logger.ts';
import { stepEvent, type StepPlace } from '../../runtime/step-events.ts';

export type TestContextOptions = {
  orderId: string;
  job: Job;
  processInstanceKey?: string;
  elementId?: string;
  attempt?: number;
  jobKey?: string;
};

/** `jobKey` tells two runs of the same step apart (another element instance); leave it out for a repeat of one job. */
export function testContext(options: TestContextOptions): Context {
  const { orderId, job, processInstanceKey = '2251799813685249', attempt = 1 } = options;
  const place: StepPlace = {
    orderId,
    processInstanceKey,
    elementId: options.elementId ?? elementIdOf(job),
    ...(options.jobKey === undefined ? {} : { elementInstanceKey: options.jobKey }),
    stage: job.stage,
    attempt,
    ...(job.undo ? { undo: job.undo } : {}),
  };
  return {
    processInstanceKey,
    attempt,
    logger: createLogger('test', 'silent'),
    completed: (facts) => stepEvent(place, 'COMPLETED', facts),
    failed: (code: BpmnErrorCode, message, facts) => stepEvent(place, 'FAILED', { ...facts, error: { code, message } }),
  };
}

/** `reserve-tickets` → `ReserveTickets`: the diagram names its boxes after the jobs. */
function elementIdOf(job: Job): string {
  return job.type
    .split('-')
    .map((word) => word.charAt(0).toUpperCase() + word.slice(1))
    .join('');
}
