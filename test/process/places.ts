/** Ways through the diagram that many tests share: an order brought to a place, and the undo from start to end. */
import type { ReasonCode } from '@ticket-saga/contract/errors';
import { type Order, timeToPayMs } from './order.ts';
import type { ProcessTest } from './process-test.ts';

type Step = (order: Order, saga: ProcessTest) => Promise<unknown>;

/** For each place the place before it, and what leads from there. */
const places = {
  ReserveTickets: [null, (order) => order.job('ReserveTickets')],
  RejectOrder: ['ReserveTickets', (order) => order.throwError('ReserveTickets', 'SOLD_OUT')],
  RequestPayment: ['ReserveTickets', (order) => order.complete('ReserveTickets')],
  WaitForPayment: ['RequestPayment', (order) => order.complete('RequestPayment')],
  ClosePayment: ['WaitForPayment', (_, saga) => saga.clock.pass(timeToPayMs)],
  ConfirmTickets: ['WaitForPayment', (order) => order.callback('APPROVED')],
  CompleteOrder: ['ConfirmTickets', (order) => order.complete('ConfirmTickets')],
  CancelPayment: ['ConfirmTickets', (order) => order.throwError('ConfirmTickets', 'RESERVATION_EXPIRED')],
  ReleaseTickets: ['CancelPayment', (order) => order.complete('CancelPayment')],
  CloseOrder: ['ReleaseTickets', (order) => order.complete('ReleaseTickets')],
} as const satisfies Record<string, readonly [string | null, Step]>;
export type Place = keyof typeof places;

export const everyPlace = Object.keys(places) as Place[];

/** A new order that has come to this place and stands there; the job of a task is not taken yet. */
export async function orderAt(saga: ProcessTest, place: Place): Promise<Order> {
  const [before, step]: readonly [Place | null, Step] = places[place];
  const order = before ? await orderAt(saga, before) : await saga.placeOrder();
  await step(order, saga);
  await order.standsAt(place);
  return order;
}

/** What an undo passes, in this order. */
export const undoSteps = ['CancelPayment', 'ReserveTicketsUndo', 'ReleaseTickets', 'UndoReservation', 'CloseOrder'];

/** Does the undo of an order that held tickets; resolves with the reason that Close order was told. */
export async function undo(order: Order): Promise<Record<string, unknown>> {
  await order.complete('CancelPayment');
  await order.complete('ReleaseTickets');
  const { variables } = await order.job('CloseOrder');
  await order.complete('CloseOrder');
  return variables;
}

export const because = (order: Order, reasonCode: ReasonCode, reasonMessage: string | null = null) => ({
  orderId: order.orderId,
  reasonCode,
  reasonMessage,
});
