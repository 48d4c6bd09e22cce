/** One order of the real service, without Kafka and engine: the steps are called as its workers call them. */
import { jobs, lateReservation } from '@ticket-saga/contract/jobs';
import type { Db } from '@ticket-saga/runtime/database';
import { BusinessError } from '@ticket-saga/runtime/errors';
import { Problem } from '@ticket-saga/runtime/problem';
import { createLogger } from '@ticket-saga/runtime/logger';
import { v7 as uuidV7 } from 'uuid';
import { z } from 'zod';
import { testContext } from '../../test/support/context.ts';
import type { TestDatabase } from '../../test/support/postgres.ts';
import { checkLatePayment, noteRefund, reinstateOrder, startRefund } from '../after-the-end.ts';
import { requestCancel } from '../cancel-order.ts';
import type { Diagram } from '../diagram.ts';
import { viewOrder } from '../order-view.ts';
import { closeOrder, completeOrder, rejectOrder, stopOrder } from '../orders.ts';
import { readOrder } from '../read-orders.ts';
import { noteStep } from '../steps.ts';
import type { Command } from './end-commands.ts';
import { historyOf, type Model, units } from './end-model.ts';

const jobOf = {
  complete: jobs.completeOrder,
  reject: jobs.rejectOrder,
  close: jobs.closeOrder,
  stop: jobs.stopOrder,
  check: jobs.checkLatePayment,
  reinstate: jobs.reinstateOrder,
  'note refund': jobs.noteRefund,
  'start refund': jobs.startRefund,
  'hear of undo': jobs.releaseTickets,
} as const;
const logger = createLogger('test', 'silent');
const start = Date.parse('2026-11-01T12:00:00Z');
const stored = z.object({
  cancelRequested: z.boolean(),
  stopped: z.boolean(),
  reinstatedBy: z.string().nullable(),
  refundBy: z.string().nullable(),
  moneyAt: z.date().nullable(),
  codes: z.int(),
  cancels: z.int(),
  history: z.array(z.string()),
  steps: z.array(z.string()),
});

export async function openOrder({ admin }: TestDatabase, defaultDb: Db, diagram: Diagram) {
  const id = uuidV7();
  const items = [{ productId: '1', name: 'one', quantity: units, unitPrice: 10_00 }];
  await admin.query(
    "insert into orders.purchase (id, customer_id, items, total_price, currency) values ($1, '1', $2, 2000, 'GBP')",
    [id, JSON.stringify(items)],
  );
  const refused = { code: 'DUPLICATE_PROCESS', message: 'refused' };
  await noteStep(defaultDb, heard('stranger', { state: 'FAILED', elementId: 'ReserveTickets', error: refused }));

  function heard(by: string, more: object): Parameters<typeof noteStep>[1] {
    const step = { type: 'STEP' as const, processInstanceKey: by, stage: 'Pre-Processing' as const, attempt: 1 };
    const idempotencyKey = `refused ${by}`;
    const occurredAt = new Date(start).toISOString();
    return { ...step, elementId: '', state: 'COMPLETED', idempotencyKey, orderId: id, occurredAt, ...more };
  }

  const work = async (db: Db, given: Command): Promise<string> => {
    const context = ({ do: what, by, run }: Extract<Command, { run: string }>) =>
      testContext({ orderId: id, job: jobOf[what], processInstanceKey: by, jobKey: run });
    const input = { orderId: id };
    switch (given.do) {
      case 'complete':
        await completeOrder(db, input, context(given));
        return 'ok';
      case 'reject':
        await rejectOrder(db, { ...input, reasonCode: given.why }, context(given));
        return 'ok';
      case 'close':
        await closeOrder(db, { ...input, reasonCode: given.why }, context(given));
        return 'ok';
      case 'stop':
        await stopOrder(db, input, context(given));
        return 'ok';
      case 'cancel':
        await requestCancel({ db, logger }, id, null);
        return 'ok';
      case 'check': {
        const facts = await checkLatePayment(db, input, context(given));
        return `ok ${facts.orderEnded} ${facts.orderStatus} ${facts.cancelRequested}`;
      }
      case 'reinstate':
        await reinstateOrder(db, input, context(given));
        return 'ok';
      case 'note refund':
        await noteRefund(db, input, context(given));
        return 'ok';
      case 'start refund': {
        const { reservationId } = await startRefund(db, input, context(given));
        return (
          { [id]: 'ok its own reservation', [lateReservation(id)]: 'ok the late reservation' }[reservationId] ?? ''
        );
      }
      case 'hear of undo': {
        const { value } = context(given).completed();
        await noteStep(db, heard(given.by, value));
        return 'ok';
      }
      case 'hear of money': {
        const { money, at } = given;
        const occurredAt = new Date(start + at * 1_000).toISOString();
        const facts = { history: [historyOf[money]], payment: { state: money } };
        await noteStep(db, { type: 'FACT', idempotencyKey: `of ${at}`, orderId: id, occurredAt, ...facts });
        return 'ok';
      }
    }
  };

  return {
    /** @param db the client that does it */
    async perform(given: Command, db: Db = defaultDb): Promise<string> {
      try {
        return await work(db, given);
      } catch (error) {
        if (error instanceof Problem) return error.code;
        if (!(error instanceof BusinessError)) throw error;
        const why = z.string().optional().parse(error.variables['reasonCode']);
        return why === undefined ? error.code : `${error.code} ${why}`;
      }
    },
    async view() {
      const row = await readOrder(defaultDb, id);
      if (!row) throw new Error(`There is no order ${id}.`);
      return viewOrder(row, diagram);
    },
    /** What is stored, as the model says it; and how often its cancel was told. */
    async state(): Promise<{ state: Model; cancels: number }> {
      const { status, reason, payment } = await this.view();
      const { rows } = await admin.query(
        `select p.cancel_requested_at is not null as "cancelRequested", p.stopped_at is not null as stopped,
           p.reinstated_by as "reinstatedBy", p.refund_by as "refundBy", p.payment_state_at as "moneyAt",
           (select count(*)::int from orders.ticket where order_id = p.id) as codes,
           (select count(*)::int from orders.outbox where key = p.id::text and value like '%CANCEL_REQUESTED%') as cancels,
           array(select state || case when idempotency_key like 'of %' then ' ' || idempotency_key else '' end
             from orders.history where order_id = p.id) as history,
           array(select concat_ws(':', process_instance_key, element_id, element_instance_key, state)
             from orders.step_event where order_id = p.id and element_id <> 'ReserveTickets') as steps
         from orders.purchase p where id = $1`,
        [id],
      );
      const { cancels, moneyAt, history, steps, ...rest } = stored.parse(rows[0]);
      const seconds = moneyAt ? (moneyAt.getTime() - start) / 1_000 : -1;
      const state = {
        status,
        reason: reason ? z.custom<Model['reason']>().parse(reason.code) : null,
        money: payment?.state ?? null,
        moneyAt: seconds > 60 ? Infinity : seconds,
        history: history.toSorted(),
        steps: steps.toSorted(),
        ...rest,
      };
      return { state, cancels };
    },
  };
}
