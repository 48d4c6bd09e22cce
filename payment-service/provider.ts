/** The payment provider's HTTP API, with a time limit on every call. */
import { crashPoint } from '@ticket-saga/runtime/crash-points';
import { PassingFault, PermanentError } from '@ticket-saga/runtime/errors';
import { z } from 'zod';
import type { Payment } from './payment-row.ts';

const answer = z.object({
  id: z.string().min(1),
  status: z.enum(['PENDING', 'APPROVED', 'DECLINED', 'VOIDED', 'REFUNDED']),
  currency: z.string(),
  /** Minor units; what was approved, which need not be what was asked. */
  approvedAmount: z.int().optional(),
  declineReason: z.string().optional(),
});
export type ProviderAnswer = z.infer<typeof answer>;

/** An approval counts only for the amount and the currency that were asked. */
export function isAsAsked(payment: Payment, approved: { amount?: number | undefined; currency: string }): boolean {
  return approved.amount === payment.amount && approved.currency === payment.currency;
}

/** All reject with `PassingFault` when the provider is away, and `PermanentError` when it refuses. */
export type Provider = {
  request(payment: Payment): Promise<ProviderAnswer>;
  /** Voids what is not decided; else the answer says what it is. */
  void(payment: Payment): Promise<ProviderAnswer>;
  /** Gives an approved payment back; else the answer says what it is. */
  refund(payment: Payment): Promise<ProviderAnswer>;
  /** Undefined when the provider has never heard of it. */
  query(payment: Payment): Promise<ProviderAnswer | undefined>;
};

export type ProviderOptions = {
  url: string;
  apiKey: string;
  timeoutMs: number;
  /** Where the provider calls back. */
  callbackUrl: string;
};

export function createProvider(options: ProviderOptions): Provider {
  const call = (method: string, path: string, key?: string, body?: unknown) => send(options, method, path, key, body);
  const path = (payment: Payment) => `/v1/payments/${payment.id}`;
  return {
    request: betweenCommits('request', (payment) => {
      const { id: reference, amount, currency, token } = payment;
      const { callbackUrl } = options;
      const body = { reference, amount, currency, ...(token === null ? {} : { token }), callbackUrl };
      return call('POST', '/v1/payments', `pay:${payment.id}`, body).then(parse);
    }),
    void: betweenCommits('void', (payment) =>
      call('POST', `${path(payment)}/void`, `void:${payment.id}`, {}).then(parse),
    ),
    refund: betweenCommits('refund', (payment) =>
      call('POST', `${path(payment)}/refund`, `refund:${payment.id}`, {}).then(parse),
    ),
    query: betweenCommits('query', async (payment) => {
      const { status, json } = await call('GET', path(payment));
      return status === 404 ? undefined : parse({ status, json });
    }),
  };
}

/** Before the call stands its intent, committed; after it comes the outcome. A test can end the process at both places. */
function betweenCommits<Answer>(what: keyof Provider, make: (payment: Payment) => Promise<Answer>) {
  return async (payment: Payment): Promise<Answer> => {
    await crashPoint(`provider ${what}.before-call`, payment.orderId);
    const answered = await make(payment);
    await crashPoint(`provider ${what}.before-outcome`, payment.orderId);
    return answered;
  };
}

type Raw = { status: number; json: unknown };

async function send(options: ProviderOptions, method: string, path: string, key?: string, body?: unknown) {
  const signal = AbortSignal.timeout(options.timeoutMs);
  try {
    const response = await fetch(new URL(path, options.url), {
      method,
      headers: {
        Authorization: `Bearer ${options.apiKey}`,
        ...(key === undefined ? {} : { 'Idempotency-Key': key }),
        ...(body === undefined ? {} : { 'Content-Type': 'application/json' }),
      },
      ...(body === undefined ? {} : { body: JSON.stringify(body) }),
      redirect: 'error',
      signal,
    });
    const json: unknown = await response.json().catch((error: unknown) => {
      if (error instanceof SyntaxError) return undefined; // not JSON: a proxy's page, say
      throw error;
    });
    return { status: response.status, json } satisfies Raw;
  } catch (cause) {
    const what = signal.aborted ? `has not answered within ${options.timeoutMs / 1000} s` : 'cannot be reached';
    throw new PassingFault('PROVIDER_UNAVAILABLE', `The payment provider ${what}.`, cause);
  }
}

function parse({ status, json }: Raw): ProviderAnswer {
  if (status >= 500 || status === 408 || status === 429) {
    throw new PassingFault('PROVIDER_UNAVAILABLE', `The payment provider cannot take the call now (status ${status}).`);
  }
  const parsed = answer.safeParse(json);
  if (status >= 200 && status < 300) {
    if (parsed.success) return parsed.data;
    throw new PassingFault('PROVIDER_UNREADABLE', 'The payment provider answered something that cannot be read.');
  }
  const problem = z.object({ code: z.string(), detail: z.string().optional() }).safeParse(json);
  const why = problem.success ? ` ${problem.data.code}: ${problem.data.detail ?? ''}` : '';
  throw new PermanentError('PROVIDER_REFUSED', `The payment provider refused the call (status ${status}).${why}`);
}
