/** What the reconciliation reads of payments, and its way to have the provider asked about one. */
import { type PaymentRow, paymentRow } from '@ticket-saga/contract/reconciliation';
import { paymentState } from '@ticket-saga/contract/states';
import type { Api } from '@ticket-saga/runtime/api';
import { type Db, sql } from '@ticket-saga/runtime/database';
import { Problem } from '@ticket-saga/runtime/problem';
import { addOutboxRoutes, addRowsRoute, pageOf, type RowsQuery } from '@ticket-saga/runtime/reconciliation';
import type { Relay } from '@ticket-saga/runtime/relay';
import { z } from 'zod';
import { readById } from './payment-row.ts';
import type { Parts } from './settle.ts';
import { askAbout } from './poller.ts';

export function addReconciliationRoutes(api: Api, parts: Parts & { relay?: Relay }): void {
  addRowsRoute(api, {
    path: '/reconciliation/payments',
    what: 'payments, in the order of their ids',
    row: paymentRow,
    keyOf: ({ id }) => id,
    read: (query) => readPaymentRows(parts.db, query, sql.sql`p.id`),
  });
  addRowsRoute(api, {
    path: '/reconciliation/payments-by-order',
    what: 'payments, in the order of their orders’ ids, which `ids` and the cursor are',
    row: paymentRow,
    keyOf: ({ orderId }) => orderId,
    read: (query) => readPaymentRows(parts.db, query, sql.sql`p.order_id`),
  });
  addOutboxRoutes(api, parts.db, parts.relay);
  api.route({
    method: 'post',
    path: '/reconciliation/payments/:id/ask',
    summary: 'Asks the provider about a payment and books what it has decided',
    description: 'As if its webhook had come: what is decided already stays.',
    access: 'operator',
    params: z.object({ id: z.string() }),
    answers: { 200: { description: 'The payment now', schema: z.object({ state: paymentState }) } },
    async handle({ params: { id } }) {
      const known = z.uuid().safeParse(id).success ? await readById(parts.db, id) : undefined;
      if (!known) throw new Problem('PAYMENT_NOT_FOUND', `There is no payment ${id}.`);
      await askAbout(parts, known);
      return { status: 200, body: { state: (await readById(parts.db, id))?.state ?? known.state } };
    },
  });
}

function readPaymentRows(db: Db, query: RowsQuery, id: sql.Sql): Promise<PaymentRow[]> {
  return db.$queryRaw<PaymentRow[]>`
    select p.id::text as id, p.order_id::text as "orderId", p.state, p.amount, p.source,
      p.accepted_at is not null as accepted, extract(epoch from now() - p.updated_at)::float8 as age
    from payment p where ${pageOf(query, { id, cursor: sql.sql`${query.cursor ?? null}::uuid` })}
    order by ${id} limit ${query.limit}`;
}
