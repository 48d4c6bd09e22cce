/** The other services as the orchestrator asks them, over HTTP, in the name of an operator. */
import { ConfigError } from '@ticket-saga/runtime/config';
import { PassingFault, PermanentError } from '@ticket-saga/runtime/errors';
import { z } from 'zod';

export type ServicesSettings = {
  AUTH_MODE: 'local' | 'jwt';
  OPERATOR_USER: string;
  OPERATOR_PASSWORD: string;
  ORDER_URL: string;
  INVENTORY_URL: string;
  PAYMENT_URL: string;
  SERVICE_AUTHORIZATION?: string | undefined;
};

export type ServiceName = 'order' | 'inventory' | 'payment';

export type Services = {
  /**
   * @param path with its query, such as `/orders?limit=10`
   * @throws PassingFault SERVICE_UNAVAILABLE when it is away, answers 5xx or too late; PermanentError SERVICE_REFUSED
   *   for any other answer that is no success, or that does not fit the schema
   */
  get<Schema extends z.ZodType>(service: ServiceName, path: string, answer: Schema): Promise<z.output<Schema>>;
  /** As `get`, but undefined for what is not found (404). */
  find<Schema extends z.ZodType>(
    service: ServiceName,
    path: string,
    answer: Schema,
  ): Promise<z.output<Schema> | undefined>;
  post<Schema extends z.ZodType>(
    service: ServiceName,
    path: string,
    body: unknown,
    answer: Schema,
  ): Promise<z.output<Schema>>;
};

/** A page of thousands of rows takes a moment; what takes longer than this is away. */
const timeoutMs = 20_000;

/** Throws `ConfigError` in JWT mode without SERVICE_AUTHORIZATION. */
export function createServices(settings: ServicesSettings): Services {
  const authorization = authorizationOf(settings);
  const urls = { order: settings.ORDER_URL, inventory: settings.INVENTORY_URL, payment: settings.PAYMENT_URL };
  const call = async <Schema extends z.ZodType>(
    service: ServiceName,
    path: string,
    answer: Schema,
    init: RequestInit = {},
  ): Promise<z.output<Schema>> => {
    const what = `${service}-service ${init.method ?? 'GET'} ${path}`;
    const headers = { authorization, ...(init.body === undefined ? {} : { 'content-type': 'application/json' }) };
    const request = { ...init, headers, redirect: 'error', signal: AbortSignal.timeout(timeoutMs) } as const;
    const url = `${urls[service].replace(/\/$/, '')}${path}`;
    const { status, json } = await fetch(url, request)
      .then(async (response) => ({ status: response.status, json: (await response.json()) as unknown }))
      .catch((error: unknown) => {
        throw new PassingFault('SERVICE_UNAVAILABLE', `${what}: no answer that can be read.`, error);
      });
    if (status >= 500 || status === 429)
      throw new PassingFault('SERVICE_UNAVAILABLE', `${what}: it answers ${status}. ${reasonIn(json)}`);
    const parsed = answer.safeParse(json);
    if (status >= 200 && status < 300 && parsed.success) return parsed.data;
    const why = parsed.success || status >= 300 ? reasonIn(json) : z.prettifyError(parsed.error).slice(0, 500);
    throw new Refused(`${what}: it answers ${status}. ${why}`, status);
  };
  return {
    get: (service, path, answer) => call(service, path, answer),
    find: (service, path, answer) =>
      call(service, path, answer).catch((error: unknown) => {
        if (error instanceof Refused && error.status === 404) return undefined;
        throw error;
      }),
    post: (service, path, body, answer) => call(service, path, answer, { method: 'POST', body: JSON.stringify(body) }),
  };
}

class Refused extends PermanentError {
  readonly status: number;
  constructor(message: string, status: number) {
    super('SERVICE_REFUSED', message);
    this.status = status;
  }
}

function authorizationOf(settings: ServicesSettings): string {
  if (settings.SERVICE_AUTHORIZATION) return settings.SERVICE_AUTHORIZATION;
  if (settings.AUTH_MODE === 'jwt') {
    throw new ConfigError(
      'AUTH_MODE=jwt needs SERVICE_AUTHORIZATION: `Bearer` and a token with the role operator, with which the orchestrator asks the other services.',
    );
  }
  return `Basic ${Buffer.from(`${settings.OPERATOR_USER}:${settings.OPERATOR_PASSWORD}`).toString('base64')}`;
}

function reasonIn(json: unknown): string {
  const problem = z.object({ code: z.string(), detail: z.string().optional() }).safeParse(json);
  return problem.success ? `${problem.data.code} ${problem.data.detail ?? ''}`.trim() : '';
}
