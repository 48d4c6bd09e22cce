/** The operations of the orchestrator over HTTP, in the name of an operator: for tools and whole-system tests. */
import { z } from 'zod';

export type OperationsSettings = { url: string; authorization: string };

/** Where `npm start` puts the orchestrator, and its operator, by the same variables. */
export function operationsSettings(env: NodeJS.ProcessEnv = process.env): OperationsSettings {
  const user = `${env['OPERATOR_USER'] || 'techlead'}:${env['OPERATOR_PASSWORD'] || 'zup@123'}`;
  return {
    url: env['ORCHESTRATOR_URL'] || `http://127.0.0.1:${env['ORCHESTRATOR_PORT'] || 8083}`,
    authorization: env['SERVICE_AUTHORIZATION'] || `Basic ${Buffer.from(user).toString('base64')}`,
  };
}

/** A refusal, with the code and the sentence of its problem document. */
export class OperationRefused extends Error {
  readonly status: number;
  readonly code: string;
  constructor(status: number, code: string, detail: string) {
    super(`${code}: ${detail}`);
    this.status = status;
    this.code = code;
  }
}

const problem = z.object({ code: z.string(), detail: z.string().default('') });

export type Operations = ReturnType<typeof openOperations>;

/** Each call rejects with `OperationRefused` for an answer that is no success, and with fetch's error when nobody answers. */
export function openOperations({ url, authorization }: OperationsSettings) {
  async function call<Schema extends z.ZodType>(
    method: 'GET' | 'POST',
    path: string,
    answer: Schema,
    body?: unknown,
  ): Promise<z.output<Schema>> {
    const response = await fetch(new URL(`/operations${path}`, url), {
      method,
      headers: { authorization, ...(body === undefined ? {} : { 'content-type': 'application/json' }) },
      ...(body === undefined ? {} : { body: JSON.stringify(body) }),
    });
    const json: unknown = await response.json().catch(() => undefined);
    if (response.ok) return answer.parse(json);
    const { data } = problem.safeParse(json);
    throw new OperationRefused(response.status, data?.code ?? 'UNKNOWN', data?.detail ?? response.statusText);
  }
  const get = <Schema extends z.ZodType>(path: string, query: Query, answer: Schema) =>
    call('GET', `${path}?${queryText(query)}`, answer);

  return {
    stuck: (query: Query = {}) => get('/stuck', query, page(stuck)),
    retryStep: (orderId: string, elementId: string, body: { reason: string; elementInstanceKey?: string }) =>
      call('POST', `/orders/${orderId}/steps/${elementId}/retry`, stuck, body),
    retryAll: (body: { reason: string; code: string; step?: string; limit?: number }) =>
      call('POST', '/stuck/retry', retriedAll, body),
    abort: (orderId: string, reason: string) => call('POST', `/orders/${orderId}/abort`, z.unknown(), { reason }),
    republishPayment: (orderId: string, reason: string) =>
      call('POST', `/orders/${orderId}/republish-payment`, z.looseObject({ type: z.string() }), { reason }),
    deadLetters: (query: Query = {}) => get('/dead-letters', query, page(deadLetter)),
    deadLetter: (id: string) => call('GET', `/dead-letters/${encodeURIComponent(id)}`, wholeLetter),
    replay: (id: string, reason: string) =>
      call('POST', `/dead-letters/${encodeURIComponent(id)}/replay`, deadLetter, { reason }),
    discard: (id: string, reason: string) =>
      call('POST', `/dead-letters/${encodeURIComponent(id)}/discard`, deadLetter, { reason }),
    /** Behind `cursor`, that of the answer before: call it until there is none. */
    replayAll: (body: { reason: string; cursor?: string | undefined; limit?: number } & LetterFilter) =>
      call('POST', '/dead-letters/replay', replayedAll, body),
    refund: (body: { reason: string } & ({ orderId: string } | { productId: string })) =>
      call('POST', '/refunds', refund, body),
    refundProgress: (id: string) => get(`/refunds/${id}`, {}, refund),
    audit: (query: Query = {}) => get('/audit', query, page(auditEntry)),
  };
}

export type LetterFilter = Partial<Record<'service' | 'code' | 'topic' | 'orderId', string | undefined>>;
const refund = z.looseObject({
  id: z.string(),
  state: z.string(),
  total: z.int(),
  done: z.int(),
  refused: z.int(),
  failed: z.int(),
});

type Query = Record<string, string | number | undefined>;

function queryText(query: Query): string {
  const text = new URLSearchParams();
  for (const [name, value] of Object.entries(query)) if (value !== undefined) text.set(name, String(value));
  return text.toString();
}

const page = <Item extends z.ZodType>(item: Item) =>
  z.object({ items: z.array(item), nextCursor: z.string().nullable() });

const stuck = z.looseObject({
  orderId: z.string(),
  kind: z.string(),
  step: z.looseObject({ id: z.string(), name: z.string() }).nullable(),
  since: z.string(),
  ageSeconds: z.number(),
  tries: z.number(),
  error: z.object({ code: z.string(), message: z.string() }).nullable(),
  processInstanceKey: z.string().nullable(),
  processId: z.string(),
  processVersion: z.number().nullable(),
  elementInstanceKey: z.string().nullable(),
  links: z.object({ order: z.string(), operate: z.string().nullable() }),
});

const retriedAll = z.object({
  retried: z.number(),
  refused: z.array(z.looseObject({ orderId: z.string(), code: z.string() })),
  more: z.boolean(),
});

export const deadLetter = z.object({
  id: z.string(),
  state: z.string(),
  occurredAt: z.string(),
  service: z.string(),
  code: z.string(),
  message: z.string(),
  topic: z.string(),
  orderId: z.string().nullable(),
  decided: z.object({ at: z.string(), by: z.string(), because: z.string() }).nullable(),
  links: z.object({ order: z.string().nullable(), operate: z.string().nullable() }),
});
export type DeadLetterView = z.infer<typeof deadLetter>;

const wholeLetter = deadLetter.extend({
  replayable: z.boolean(),
  advice: z.string().nullable(),
  letter: z.unknown(),
});

const replayedAll = z.object({
  replayed: z.number(),
  refused: z.array(z.object({ id: z.string(), code: z.string(), detail: z.string() })),
  nextCursor: z.string().nullable(),
});

const auditEntry = z.looseObject({
  id: z.string(),
  at: z.string(),
  operator: z.string(),
  action: z.string(),
  orderId: z.string().nullable(),
  reason: z.string(),
  outcome: z.string(),
});
