/** Routes for operators: the orchestrator's console asks here. */
import { stuckPage } from '@ticket-saga/contract/operations';
import type { Api } from '@ticket-saga/runtime/api';
import { durationMs } from '@ticket-saga/runtime/config';
import { z } from 'zod';
import type { OrderParts } from './parts.ts';
import { cursorShape, listStuck } from './stuck.ts';

/** An element id or the code of an error. */
const word = z.string().regex(/^[\w.:-]{1,200}$/, 'must be a word of letters, digits and . _ : -');

export function addStuckRoutes(api: Api, { db, diagram }: Pick<OrderParts, 'db' | 'diagram'>): void {
  api.route({
    method: 'get',
    path: '/stuck-orders',
    summary: 'Orders that hang, the oldest first',
    access: 'operator',
    query: z.object({
      orderId: z.uuid().optional(),
      step: word.optional().meta({ description: 'Element id in the diagram' }),
      code: word.optional().meta({ description: 'Code of the error' }),
      until: z.iso.datetime().optional().meta({ description: 'Only what was stuck at this moment already' }),
      silentAfter: z.iso
        .duration()
        .default('PT10M')
        .meta({ description: 'Orders on their way of which nothing was heard for this long are listed, too' }),
      limit: z.coerce.number().int().min(1).max(100).default(20),
      cursor: z.string().regex(cursorShape, 'must be `nextCursor` of the page before').optional(),
    }),
    answers: { 200: { description: 'A page of stuck steps and silent orders', schema: stuckPage } },
    async handle({ query: { silentAfter, ...filter } }) {
      return { status: 200, body: await listStuck(db, diagram, { ...filter, silentAfterMs: durationMs(silentAfter) }) };
    },
  });
}
