/** How an order stands now, asked at order-service: what an operator's action is held against. */
import { orderStatus, stepState } from '@ticket-saga/contract/states';
import { Problem } from '@ticket-saga/runtime/problem';
import { z } from 'zod';
import type { OrchestratorParts } from './parts.ts';

const orderState = z.object({
  id: z.uuid(),
  status: orderStatus,
  finished: z.boolean(),
  currentStep: z.string().nullable(),
  steps: z.array(z.object({ id: z.string(), name: z.string(), state: stepState })),
});
export type OrderState = z.infer<typeof orderState>;

/** Throws 404 ORDER_NOT_FOUND. */
export async function readOrderState(
  { services }: Pick<OrchestratorParts, 'services'>,
  orderId: string,
): Promise<OrderState> {
  const order = await services.find('order', `/orders/${orderId}`, orderState);
  if (!order) throw new Problem('ORDER_NOT_FOUND', `There is no order ${orderId}.`);
  return order;
}

/** The present state in words, for a refusal. */
export function stateInWords({ status, finished, currentStep, steps }: OrderState): string {
  const step = steps.find(({ id }) => id === currentStep);
  if (finished) return `The order is ${status}.`;
  return step
    ? `The order is ${status}, at ${step.name} (${step.id}), which is ${step.state}.`
    : `The order is ${status}.`;
}
