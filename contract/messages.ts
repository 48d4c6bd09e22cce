/** Messages that the orchestrator correlates to a waiting process instance. The key is always the order id. */
import { z } from 'zod';
import { reasonCode } from './errors.ts';
import { paymentOutcome } from './states.ts';

/** Correlation key in every diagram: FEEL `=orderId`. */
export const correlationVariable = 'orderId';

export const messages = {
  /** The provider's answer to the payment request. */
  paymentCallback: {
    name: 'payment-callback',
    variables: z.object({ paymentOutcome: paymentOutcome.exclude(['VOIDED']), reasonCode: reasonCode.optional() }),
  },
  /** The customer wants out. */
  cancelOrder: { name: 'cancel-order', variables: z.object({}) },
  /** An operator stops the order, wherever it is. */
  abortOrder: { name: 'abort-order', variables: z.object({}) },
} as const;

/** How long an early `cancel-order` or `abort-order` waits for its process: longer than an order may be old. */
export const cancelTimeToLiveMs = 2 * 24 * 60 * 60 * 1000;
