import { randomUUID } from 'node:crypto';
import { afterAll, beforeAll, expect, it } from '@jest/globals';
import type { OrderStatus } from '@ticket-saga/contract/states';
import type { Db } from '@ticket-saga/runtime/database';
import { createLogger } from '@ticket-saga/runtime/logger';
import { testDatabase, type TestDatabase } from '../../test/support/postgres.ts';
import { abortOrder } from '../abort-order.ts';
import { auditRefusal, listAudit } from '../audit.ts';
import type { OrchestratorParts } from '../parts.ts';

let database: TestDatabase;
let db: Db;

beforeAll(async () => {
  database = await testDatabase();
  db = database.db('orchestration');
});
afterAll(() => database.drop());

/** As the route does it, with what order-service would say of the order. */
function abort(orderId: string, status: OrderStatus | undefined) {
  const finished = status === 'CONFIRMED';
  const order = status && { id: orderId, status, finished, currentStep: null, steps: [] };
  const parts = { db, logger: createLogger('test', 'silent'), services: { find: async () => order } };
  const entry = { operator: 'techlead', reason: 'fraud', orderId };
  return auditRefusal(db, { ...entry, action: 'abort-order' }, () =>
    abortOrder(parts as unknown as OrchestratorParts, entry),
  );
}
const asked = (orderId: string) =>
  db.$queryRaw<unknown[]>`select topic, key, value::jsonb ->> 'type' as type from outbox where key = ${orderId}`;
const outcomes = async (orderId: string) =>
  (await listAudit(db, { orderId, limit: 10 })).items.map(({ outcome }) => outcome).toSorted();

it('An abort is asked once, behind the order, whoever asks at the same time, and each asking is written down', async () => {
  const orderId = randomUUID();
  const all = await Promise.allSettled([1, 2, 3].map(() => abort(orderId, 'AWAITING_PAYMENT')));
  expect(all.filter(({ status }) => status === 'fulfilled')).toHaveLength(1);
  expect(all).toContainEqual({ status: 'rejected', reason: expect.objectContaining({ code: 'STALE_ACTION' }) });
  expect(await asked(orderId)).toEqual([{ topic: 'created-orders', key: orderId, type: 'ORDER_ABORT_REQUESTED' }]);
  expect(await outcomes(orderId)).toEqual(['STALE_ACTION', 'STALE_ACTION', 'done']);
});

it.each([
  ['has ended', 'CONFIRMED', 'STALE_ACTION'],
  ['is not there', undefined, 'ORDER_NOT_FOUND'],
] as const)('An order that %s is not aborted', async (_what, status, code) => {
  const orderId = randomUUID();
  await expect(abort(orderId, status)).rejects.toMatchObject({ code });
  expect([await asked(orderId), await outcomes(orderId)]).toEqual([[], [code]]);
});

/** An order that a refund has taken up, and perhaps has started its process for. */
async function refunding(state: 'RUNNING' | 'FAILED', processInstanceKey: string | null): Promise<string> {
  const [orderId, refundId] = [randomUUID(), randomUUID()];
  await db.$executeRaw`insert into refund (id, order_id, operator, reason, state) values (${refundId}::uuid, ${orderId}::uuid, 'x', 'y', 'RUNNING')`;
  await db.$executeRaw`
    insert into refund_order (refund_id, order_id, state, process_instance_key)
    values (${refundId}::uuid, ${orderId}::uuid, ${state}, ${processInstanceKey})`;
  return orderId;
}

it.each(['RUNNING', 'FAILED'] as const)(
  'An order whose refund is under way (%s) is not aborted: nothing of its own process is left',
  async (state) => {
    const orderId = await refunding(state, '77');
    await expect(abort(orderId, 'COMPENSATING')).rejects.toMatchObject({ code: 'STALE_ACTION' });
    expect(await asked(orderId)).toEqual([]);
  },
);

it('A stuck order that a refund of its product waits for is aborted as any other', async () => {
  const orderId = await refunding('FAILED', null);
  await abort(orderId, 'PENDING');
  expect(await asked(orderId)).toHaveLength(1);
});
