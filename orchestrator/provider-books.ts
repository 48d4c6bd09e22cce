/** The payment provider's books, as the shop may read them over the provider's HTTP API. */
import { PassingFault } from '@ticket-saga/runtime/errors';
import { z } from 'zod';
import type { Page } from './reconcile-merge.ts';

export type ProviderSettings = { PROVIDER_URL: string; PROVIDER_API_KEY: string };

const payment = z
  .object({
    /** Our payment id. */
    reference: z.string(),
    status: z.enum(['PENDING', 'APPROVED', 'DECLINED', 'VOIDED', 'REFUNDED']),
    /** Minor units. */
    approvedAmount: z.int().optional(),
    refundedAmount: z.int(),
    updatedAt: z.iso.datetime(),
  })
  .transform(({ updatedAt, ...row }) => ({ ...row, age: (Date.now() - Date.parse(updatedAt)) / 1_000 }));
const page = z.object({ items: z.array(payment), nextCursor: z.string().nullable() });

/** `age`: for how many seconds it has not changed. */
export type ProviderRow = z.output<typeof payment>;

export type ProviderBooks = {
  /** In the order of the references. */
  page(cursor: string | null, limit: number): Promise<Page<ProviderRow>>;
  /** Undefined when the provider has never heard of it. */
  find(reference: string): Promise<ProviderRow | undefined>;
};

const timeoutMs = 20_000;

/** All reject with `PassingFault` while the provider is away. */
export function createProviderBooks({ PROVIDER_URL, PROVIDER_API_KEY }: ProviderSettings): ProviderBooks {
  const get = async (path: string) => {
    const headers = { authorization: `Bearer ${PROVIDER_API_KEY}` };
    const url = new URL(path, PROVIDER_URL);
    try {
      const response = await fetch(url, { headers, redirect: 'error', signal: AbortSignal.timeout(timeoutMs) });
      return { status: response.status, json: (await response.json()) as unknown };
    } catch (cause) {
      throw new PassingFault('PROVIDER_UNAVAILABLE', `The payment provider does not answer ${path}.`, cause);
    }
  };
  const read = <S extends z.ZodType>({ status, json }: { status: number; json: unknown }, schema: S): z.output<S> => {
    if (status === 200) return schema.parse(json);
    throw new PassingFault('PROVIDER_UNAVAILABLE', `The payment provider answers ${status}.`);
  };
  return {
    async page(cursor, limit) {
      const after = cursor === null ? '' : `&cursor=${encodeURIComponent(cursor)}`;
      return read(await get(`/v1/settlement?limit=${limit}${after}`), page);
    },
    async find(reference) {
      const answer = await get(`/v1/payments/${encodeURIComponent(reference)}`);
      return answer.status === 404 ? undefined : read(answer, payment);
    },
  };
}
