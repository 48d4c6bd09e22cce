/** What is told to the engine in a worker's stead, checked against the contract as the worker's own answer would be. */
import { bpmnErrors, reasons } from '@ticket-saga/contract/errors';
import { type Job, jobs } from '@ticket-saga/contract/jobs';
import { messages } from '@ticket-saga/contract/messages';
import { z } from 'zod';
import { exampleOf, fieldsOf } from './job-fields.ts';

/** Its message is for the person at the keyboard, who can do it right the next time. */
export class Refused extends Error {}

/** Declared as a list, because a diagram may name any job. */
export const contractJob = (type: string): Job | undefined => Object.values<Job>(jobs).find((job) => job.type === type);

/** The JSON object that somebody typed; nothing typed is an empty one. */
export function parseObject(text: string | undefined): Record<string, unknown> {
  try {
    return z.record(z.string(), z.unknown()).parse(JSON.parse(text ?? '{}'));
  } catch {
    throw new Refused(
      `This is no JSON object: ${text}\nWrite it in single quotes, as '{"paymentOutcome":"APPROVED"}'.`,
    );
  }
}

/** Variables for `complete`. A job that the contract does not know may give back anything. */
export function completion(type: string, text: string | undefined): Record<string, unknown> {
  const given = parseObject(text);
  const job = contractJob(type);
  return job ? fitting(job.output, given, `${type} gives back`) : given;
}

/** Variables of a message; one that the contract does not know may bring anything. */
export function messageVariables(name: string, text: string | undefined): Record<string, unknown> {
  const given = parseObject(text);
  const message = Object.values(messages).find((known) => known.name === name);
  return message ? fitting(message.variables, given, `The message ${name} brings`) : given;
}

/** As a worker's answer is parsed, but a name too many is refused: it is most likely a name mistyped. */
function fitting(schema: z.ZodObject, given: Record<string, unknown>, what: string): Record<string, unknown> {
  const parsed = z.strictObject(schema.shape).safeParse(given);
  if (parsed.success) return parsed.data;
  const fields = fieldsOf(schema).map(
    ({ name, needed, words }) => `${name} (${words}${needed ? '' : ', may be missing'})`,
  );
  const problems = parsed.error.issues.map(({ path, message }) => `  ${path.join('.') || 'JSON'}: ${message}`);
  const example = fields.length > 0 ? `\nFor example: '${exampleOf(schema)}'` : '';
  throw new Refused(`${what} ${fields.join(', ') || 'nothing'}.\n${problems.join('\n')}${example}`);
}

export type ThrownError = { errorCode: string; errorMessage: string; variables: Record<string, string> };

/** A business error with its reason in the variables, as `runJob` sends it. */
export function businessError(type: string, code: string, text: string | undefined): ThrownError {
  const job = contractJob(type);
  const codes: readonly string[] = job?.errors ?? [];
  if (job && !codes.includes(code)) {
    const may = codes.length > 0 ? `it may end with ${codes.join(', ')}` : 'it ends with no error';
    throw new Refused(`${type} never ends with ${code}: ${may}.`);
  }
  const given = Object.entries(parseObject(text)).map(([name, value]) => [name, String(value)]);
  const errorMessage = Object.entries(bpmnErrors).find(([known]) => known === code)?.[1] ?? code;
  const reason = code in reasons ? { reasonCode: code, reasonMessage: errorMessage } : {};
  const variables: Record<string, string> = { ...reason, ...Object.fromEntries(given) };
  // The worker of complete-order knows from the order who stopped it; without a reason close-order could not end it.
  if (code === 'ORDER_STOPPED' && !variables['reasonCode']) {
    const whys = ['CANCELLED_BY_CUSTOMER', 'ABORTED_BY_OPERATOR'].map((why) => `'{"reasonCode":"${why}"}'`);
    throw new Refused(`ORDER_STOPPED must say why the order was stopped: add ${whys.join(' or ')}.`);
  }
  return { errorCode: code, errorMessage, variables };
}

/** A try that failed: uses up one, as a provider's fault does; with `stuck` all of them. */
export const failure = (retries: number, errorMessage: string, stuck: boolean) => ({
  errorMessage,
  retries: stuck ? 0 : Math.max(0, retries - 1),
  retryBackOff: 0,
});
