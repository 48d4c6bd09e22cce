/** HTTP of payment-service for the reconciliation's repairs of payments. */
import { paymentState } from '@ticket-saga/contract/states';
import type { Api } from '@ticket-saga/runtime/api';
import { PermanentError } from '@ticket-saga/runtime/errors';
import { Problem } from '@ticket-saga/runtime/problem';
import { z } from 'zod';
import { agreeWithProvider } from './agree.ts';
import { giveBackPayment, giveBackUnknown } from './give-back.ts';
import { providerStatus } from './provider.ts';
import type { Parts } from './settle.ts';

/** What the provider could have as a reference; as part of an address dots alone would lead elsewhere. */
const reference = z.string().regex(/^(?!\.{1,2}$)[\x20-\x7e]{1,100}$/);

export function addRepairRoutes(api: Api, parts: Parts): void {
  api.route({
    method: 'post',
    path: '/reconciliation/payments/:id/return',
    summary: 'Voids the payment, or gives its money back, whatever its order says',
    description: 'For money that belongs to no order. Again it answers the same. 409: the provider refuses.',
    access: 'operator',
    params: z.object({ id: z.string() }),
    answers: { 200: { description: 'The payment now', schema: z.object({ state: paymentState }) } },
    handle: async ({ params: { id } }) => ({
      status: 200,
      body: await unlessRefused(giveBackPayment(parts, known(id, z.uuid()))),
    }),
  });

  api.route({
    method: 'post',
    path: '/reconciliation/payments/:id/settle',
    summary: 'Makes our books and the provider’s agree on the payment',
    description:
      'What the provider has of it and nobody is to have goes back; what it does not have we do not claim. 409 STALE_ACTION: the books agree; ACTION_NOT_POSSIBLE: the provider refuses.',
    access: 'operator',
    params: z.object({ id: z.string() }),
    answers: {
      200: {
        description: 'The payment now, and what was done',
        schema: z.object({ state: paymentState, done: z.string() }),
      },
    },
    async handle({ params: { id } }) {
      const { state, done } = await unlessRefused(agreeWithProvider(parts, known(id, z.uuid())));
      if (done.length === 0) throw new Problem('STALE_ACTION', `The payment is ${state}: the books agree.`);
      return { status: 200, body: { state, done: done.join(', ') } };
    },
  });

  api.route({
    method: 'post',
    path: '/reconciliation/provider-payments/:reference/return',
    summary: 'Voids or refunds at the provider what it has and we do not know',
    description:
      'Again it answers the same. 409 ACTION_NOT_POSSIBLE: it is a payment of ours, or the provider refuses.',
    access: 'operator',
    params: z.object({ reference: z.string() }),
    answers: {
      200: { description: 'The payment at the provider now', schema: z.object({ status: providerStatus }) },
    },
    handle: async ({ params }) => ({
      status: 200,
      body: await unlessRefused(giveBackUnknown(parts, known(params.reference, reference))),
    }),
  });
}

/** An id that no payment could have is as unknown as any. */
function known(id: string, could: z.ZodType<string>): string {
  if (could.safeParse(id).success) return id;
  throw new Problem('PAYMENT_NOT_FOUND', `There is no payment ${id}.`);
}

/** What the provider refuses for good is no failure of ours. */
async function unlessRefused<T>(work: Promise<T>): Promise<T> {
  return work.catch((error: unknown) => {
    throw error instanceof PermanentError ? new Problem('ACTION_NOT_POSSIBLE', error.message) : error;
  });
}
