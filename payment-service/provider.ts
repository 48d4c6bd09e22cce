/** The payment provider's HTTP API, with a time limit on every call. */
import { crashPoint } from '@ticket-saga/runtime/crash-points';
import { PassingFault, PermanentError } from '@ticket-saga/runtime/errors';
import { z } from 'zod';
import type { Payment } from './payment-row.ts';

export const providerStatus = z.enum(['PENDING', 'APPROVED', 'DECLINED', 'VOIDED', 'REFUNDED']);
const answer = z.object({
  id: z.string().min(1),
  status: providerStatus,
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

/** Our payment, or what the provider alone knows of: then `id` is its reference there. */
export type AtProvider = { id: string; orderId?: string };

/**
 * All reject with `PassingFault` when the provider is away, and `PermanentError` when it refuses. The answer to an
 * idempotency key may be that of its first use, for ever: what must happen anew needs a `key` of its own.
 */
export type Provider = {
  request(payment: Payment): Promise<ProviderAnswer>;
  /** Voids what is not decided; else the answer says what it is. */
  void(payment: AtProvider, key?: string): Promise<ProviderAnswer>;
  /** Gives an approved payment back; else the answer says what it is. */
  refund(payment: AtProvider, key?: string): Promise<ProviderAnswer>;
  /** Undefined when the provider has never heard of it. */
  query(payment: AtProvider): Promise<ProviderAnswer | undefined>;
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
  const path = ({ id }: AtProvider) => `/v1/payments/${encodeURIComponent(id)}`;
  return {
    request: betweenCommits('request', (payment: Payment) => {
      const { id: reference, amount, currency, token } = payment;
      const { callbackUrl } = options;
      const body = { reference, amount, currency, ...(token === null ? {} : { token }), callbackUrl };
      return call('POST', '/v1/payments', `pay:${payment.id}`, body).then(parse);
    }),
    void: betweenCommits('void', (payment: AtProvider, key = `void:${payment.id}`) =>
      call('POST', `${path(payment)}/void`, key, {}).then(parse),
    ),
    refund: betweenCommits('refund', (payment: AtProvider, key = `refund:${payment.id}`) =>
      call('POST', `${path(payment)}/refund`, key, {}).then(parse),
    ),
    query: betweenCommits('query', async (payment: AtProvider) => {
      const { status, json } = await call('GET', path(payment));
      return status === 404 ? undefined : parse({ status, json });
    }),
  };
}

/** Before the call stands its intent, committed; after it comes the outcome. A test can end the process at both places. */
function betweenCommits<Of extends AtProvider, Answer>(
  what: keyof Provider,
  make: (payment: Of, key?: string) => Promise<Answer>,
) {
  return async (payment: Of, key?: string): Promise<Answer> => {
    await crashPoint(`provider ${what}.before-call`, payment.orderId);
    const answered = await make(payment, key);
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
