/** What operators see of what hangs, on a real database; order-service and Operate are played by the test. */
import { randomUUID } from 'node:crypto';
import { afterAll, beforeAll, expect, it } from '@jest/globals';
import type { StuckStep } from '@ticket-saga/contract/operations';
import type { Db } from '@ticket-saga/runtime/database';
import { testDatabase, type TestDatabase } from '../../test/support/postgres.ts';
import { noteProcess } from '../further-processes.ts';
import type { OrchestratorParts } from '../parts.ts';
import { listStuck } from '../stuck.ts';

let database: TestDatabase;
let db: Db;

beforeAll(async () => {
  database = await testDatabase();
  db = database.db('orchestration');
});
afterAll(() => database.drop());

const hanging = (orderId: string, more: Partial<StuckStep>): StuckStep => ({
  orderId,
  status: 'COMPENSATING',
  kind: 'STUCK',
  processId: 'refund-order',
  step: { id: 'RefundPayment', name: 'Refund payment', stage: 'Post-Processing' },
  since: new Date(Date.now() - 90_000).toISOString(),
  tries: 5,
  error: { code: 'PROVIDER_UNAVAILABLE', message: 'It answers 503.' },
  processInstanceKey: null,
  elementInstanceKey: '5',
  ...more,
});

/** Lists what order-service would tell; Operate knows one instance, on version 9. */
async function shown(items: StuckStep[]) {
  const settings = { SILENT_AFTER: 'PT10M', OPERATE_URL: 'http://operate', ORDER_URL: 'http://orders' };
  const services = { get: async () => ({ items, nextCursor: null }) };
  const operate = { versionOf: async (key: string) => (key === '900' ? 9 : null) };
  const parts = { db, settings, services, operate } as unknown as OrchestratorParts;
  return (await listStuck(parts, { limit: 10 })).items;
}

it('Each stuck step has the version of its own process: the saga, a further one, or as Operate knows it', async () => {
  const orderId = randomUUID();
  await db.startedProcess.create({ data: { orderId, processInstanceKey: '100', processVersion: 3 } });
  await noteProcess(db, orderId, '200', 2);
  await noteProcess(db, orderId, '900'); // a repair's
  const keys = ['100', '200', '900', '901'];
  const items = await shown(keys.map((processInstanceKey) => hanging(orderId, { processInstanceKey })));
  expect(items.map(({ processVersion }) => processVersion)).toEqual([3, 2, 9, null]);
  expect(items[1]).toMatchObject({
    processId: 'refund-order',
    step: { id: 'RefundPayment' },
    links: { order: `http://orders/orders/${orderId}`, operate: 'http://operate/operate/processes/200' },
  });
  expect(items[1]?.ageSeconds).toBeGreaterThanOrEqual(90);
});

it('A silent order of which nothing was heard yet has the process that it was started with, a dead letter has none', async () => {
  const [silent, dead] = [randomUUID(), randomUUID()];
  await db.startedProcess.create({ data: { orderId: silent, processInstanceKey: '101', processVersion: 4 } });
  await db.startedProcess.create({ data: { orderId: dead, processInstanceKey: '102', processVersion: 4 } });
  expect(await shown([hanging(silent, { kind: 'SILENT' }), hanging(dead, { kind: 'STUCK' })])).toMatchObject([
    { processInstanceKey: '101', processVersion: 4 },
    { processInstanceKey: null, processVersion: null, links: { operate: null } },
  ]);
});
