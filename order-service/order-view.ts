/** An order as its customer sees it (PRODUCT 2): the schema of the answer, and the way there from the stored row. */
import { type ReasonCode, reasons } from '@ticket-saga/contract/errors';
import {
  historyState,
  isFinal,
  orderStatus,
  paymentState,
  stage,
  type Stage,
  stepState,
} from '@ticket-saga/contract/states';
import { z } from 'zod';
import type { Diagram } from './diagram.ts';
import type { OrderRow } from './read-orders.ts';
import type { Step } from './runs.ts';
import { timeline } from './timeline.ts';

const instant = z.iso.datetime();
const problem = z.object({ code: z.string(), message: z.string() });

export const stepView = z.object({
  id: z.string().meta({ description: 'Element id in the diagram' }),
  name: z.string(),
  stage,
  state: stepState,
  waitingSince: instant.nullable(),
  startedAt: instant.nullable(),
  completedAt: instant.nullable(),
  attempts: z.int(),
  error: problem.nullable(),
});

export const orderView = z
  .object({
    id: z.uuid(),
    customerId: z.string(),
    items: z.array(z.object({ id: z.string(), name: z.string(), quantity: z.int(), unitPrice: z.number() })),
    productId: z.string().optional().meta({ description: 'Only where the order has one item' }),
    quantity: z.int().optional().meta({ description: 'Only where the order has one item' }),
    totalPrice: z.number(),
    currency: z.string(),
    status: orderStatus,
    reason: problem.nullable(),
    stage,
    currentStep: z.string().nullable(),
    finished: z.boolean(),
    createdAt: instant,
    updatedAt: instant,
    completedAt: instant.nullable(),
    payBy: instant.nullable(),
    payment: z.object({ state: paymentState }).nullable(),
    tickets: z.array(z.object({ code: z.string(), productId: z.string() })),
    steps: z.array(stepView),
    history: z.array(z.object({ state: historyState, at: instant })),
    version: z.int().meta({ description: 'Grows with each change; the event id of the live events' }),
  })
  .meta({ id: 'Order' });
export type OrderView = z.infer<typeof orderView>;

/** Minor units as an amount with two decimals. */
const amount = (minor: number) => minor / 100;
const iso = (ms: number | null) => (ms === null ? null : new Date(ms).toISOString());

export function viewOrder(row: OrderRow, diagram: Diagram): OrderView {
  const finished = isFinal(row.status);
  const past = {
    createdAt: row.createdAt.getTime(),
    payBy: row.payBy?.getTime() ?? null,
    finished,
    paymentState: row.paymentState,
    events: row.events,
    history: row.history,
  };
  const { steps, current } = timeline(past, diagram);
  const [only, ...others] = row.items;
  return {
    id: row.id,
    customerId: row.customerId,
    items: row.items.map((item) => ({
      id: item.productId,
      name: item.name,
      quantity: item.quantity,
      unitPrice: amount(item.unitPrice),
    })),
    ...(only && others.length === 0 ? { productId: only.productId, quantity: only.quantity } : {}),
    totalPrice: amount(row.totalPrice),
    currency: row.currency,
    status: row.status,
    reason: reasonOf(row),
    stage: stageOf(row, steps, current),
    currentStep: finished ? null : (current?.id ?? null),
    finished,
    createdAt: row.createdAt.toISOString(),
    updatedAt: row.updatedAt.toISOString(),
    completedAt: row.completedAt?.toISOString() ?? null,
    payBy: row.payBy?.toISOString() ?? null,
    payment: row.paymentState ? { state: row.paymentState } : null,
    tickets: row.tickets,
    steps: steps.map((step) => ({
      ...step,
      waitingSince: iso(step.waitingSince),
      startedAt: iso(step.startedAt),
      completedAt: iso(step.completedAt),
    })),
    history: row.history.map(({ state, at }) => ({ state, at: new Date(at).toISOString() })),
    version: row.version,
  };
}

function reasonOf({ reasonCode, reasonMessage }: OrderRow): OrderView['reason'] {
  if (reasonCode === null) return null;
  const known = reasonCode in reasons ? reasons[reasonCode as ReasonCode] : reasonCode;
  return { code: reasonCode, message: reasonMessage ?? known };
}

/** Between two steps the order is still in the stage of the one that ended. */
function stageOf(row: OrderRow, steps: Step[], current: Step | null): Stage {
  if (isFinal(row.status)) return row.status === 'CONFIRMED' ? 'Completed' : 'Failed';
  return (current ?? steps.at(-1))?.stage ?? 'Scheduling';
}
