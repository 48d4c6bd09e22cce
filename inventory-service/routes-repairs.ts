/** HTTP of inventory-service for the reconciliation's repairs. */
import { stockRow } from '@ticket-saga/contract/reconciliation';
import { releaseReservation } from '@ticket-saga/contract/repairs';
import { reservationState } from '@ticket-saga/contract/states';
import type { Api } from '@ticket-saga/runtime/api';
import type { Db } from '@ticket-saga/runtime/database';
import { z } from 'zod';
import { recountStock, releaseAnyway } from './repairs.ts';

export function addRepairRoutes(api: Api, db: Db): void {
  api.route({
    method: 'post',
    path: '/reconciliation/reservations/release',
    summary: 'Releases a reservation, whoever owns it',
    description:
      'What it holds or has sold becomes available. Again it answers the same. 409 STALE_ACTION: it never held any.',
    access: 'operator',
    body: releaseReservation,
    bodyExamples: {
      'of an order': { reservationId: '019a0000-0000-7000-8000-000000000001' },
      'of late money': { reservationId: '019a0000-0000-7000-8000-000000000001/late' },
    },
    answers: { 200: { description: 'The reservation now', schema: z.object({ state: reservationState }) } },
    handle: async ({ body: { reservationId } }) => ({
      status: 200,
      body: { state: await releaseAnyway(db, reservationId) },
    }),
  });

  api.route({
    method: 'post',
    path: '/reconciliation/stock/:productId/recount',
    summary: 'Counts held and sold tickets of a product anew, from its reservations',
    description:
      'Again it changes nothing. 409 STOCK_BELOW_SOLD: more is held and sold than there is, nothing changed.',
    access: 'operator',
    params: z.object({ productId: z.string() }),
    answers: { 200: { description: 'The product now', schema: stockRow } },
    handle: async ({ params: { productId } }) => ({ status: 200, body: await recountStock(db, productId) }),
  });
}
