/** A job in words: what it has, and what can be done with it. */
import { bpmnErrors } from '@ticket-saga/contract/errors';
import type { ActivatedJob } from '@ticket-saga/runtime/engine';
import { contractJob } from './job-answers.ts';
import { exampleOf } from './job-fields.ts';
import type { Step } from './job-places.ts';

export function describeJob(orderId: string, job: ActivatedJob, steps: readonly Step[]): string {
  const declared = contractJob(job.type);
  const name = steps.find(({ id }) => id === job.elementId)?.name ?? job.elementId;
  const by = declared ? `worker of ${declared.service}` : 'not in the contract: no worker yet';
  const example = declared && Object.keys(declared.output.shape).length > 0 ? ` '${exampleOf(declared.output)}'` : '';
  const errors = declared?.errors.map(
    (code) => `  error     npm run job -- error ${orderId} ${code}   ${bpmnErrors[code]}`,
  );
  return [
    `${name} (${job.elementId}; job ${job.type}, ${by}; ${job.retries} tries left)`,
    `  has       ${JSON.stringify(job.variables)}`,
    `  complete  npm run job -- complete ${orderId}${example}`,
    ...(errors ?? [`  error     npm run job -- error ${orderId} <code>`]),
    `  fail      npm run job -- fail ${orderId} "why it failed"`,
  ].join('\n');
}
