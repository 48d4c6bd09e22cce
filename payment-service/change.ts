/** Makes a move of the state machine, however many others move the same payment: the compare-and-set decides. */
import type { Db } from '@ticket-saga/runtime/database';
import type { Logger } from '@ticket-saga/runtime/logger';
import type { OutboxEvent } from '@ticket-saga/runtime/outbox';
import { factEvent, paymentEvents } from './events.ts';
import { isIntent, type Move } from './moves.ts';
import { type HeardCall, type Payment, readById, write } from './payment-row.ts';

export type ChangeParts = { db: Db; eventSecret: string; logger: Logger };

export type ChangeOptions = {
  /** The timeline's event: that of the step which makes the move. Default: a fact of its own. */
  timeline?: (move: Move) => OutboxEvent;
  heard?: HeardCall;
};

/**
 * Asks `decide` for the move and writes it with its events; where another was quicker, reads again and asks again. The
 * events are made after the row was read, so their times never contradict the order of the changes.
 * @returns the payment as it is now, and whether this call moved it
 */
export async function change(
  { db, eventSecret, logger }: ChangeParts,
  known: Payment,
  decide: (payment: Payment) => Move | undefined,
  { timeline = factEvent, heard }: ChangeOptions = {},
): Promise<{ payment: Payment; moved: boolean }> {
  for (let payment = known; ;) {
    const move = decide(payment);
    if (!move) return { payment, moved: false };
    const { after, history } = move;
    const told = history.length > 0 || !isIntent(after) ? [timeline(move)] : []; // an intent is nothing that happened
    if (await write(db, after, [...told, ...paymentEvents(move, eventSecret)], heard)) {
      const { orderId, id: paymentId, state, source } = after;
      logger.info('payment moved', { orderId, paymentId, from: payment.state, to: state, source });
      return { payment: { ...after, version: after.version + 1 }, moved: true };
    }
    const now = await readById(db, payment.id);
    if (!now) throw new Error(`The payment ${payment.id} has vanished.`);
    payment = now;
  }
}
