/** The clean-up of what only the orchestrator has, by its own role on a real database. */
import { afterAll, beforeAll, expect, it } from '@jest/globals';
import type { Db } from '@ticket-saga/runtime/database';
import { deleteOld } from '@ticket-saga/runtime/retention';
import { testDatabase, type TestDatabase } from '../../test/support/postgres.ts';
import { retentionRules } from '../retention.ts';

let database: TestDatabase;
let db: Db;
beforeAll(async () => {
  database = await testDatabase();
  db = database.db('orchestration');
});
afterAll(() => database.drop());

const [letters, runs] = retentionRules({ DEAD_LETTER_KEEP: 'P30D', RECONCILIATION_KEEP: 'P10D' });
async function clean(rule: typeof letters): Promise<number> {
  if (!rule) throw new Error('no such rule');
  return deleteOld(db, rule);
}
const daysAgo = (days: number) => new Date(Date.now() - days * 24 * 60 * 60 * 1000);

it('deletes dead letters so long after they were decided, and never an open one, however old', async () => {
  const letter = (key: string, state: string, decidedDaysAgo: number | null) => ({
    idempotencyKey: key,
    occurredAt: daysAgo(1_000),
    state,
    service: 'order-service',
    code: 'UNREADABLE_MESSAGE',
    message: 'no',
    sourceTopic: 'catalog',
    letter: Buffer.from('{}'),
    decidedAt: decidedDaysAgo === null ? null : daysAgo(decidedDaysAgo),
  });
  await db.deadLetter.createMany({
    data: [
      letter('open', 'OPEN', null),
      letter('replayed long ago', 'REPLAYED', 31),
      letter('replayed lately', 'REPLAYED', 29),
      letter('discarded long ago', 'DISCARDED', 31),
      letter('discarded lately', 'DISCARDED', 29),
    ],
  });
  expect(await clean(letters)).toBe(2);
  const left = await db.deadLetter.findMany({ orderBy: { id: 'asc' } });
  expect(left.map(({ idempotencyKey }) => idempotencyKey)).toEqual(['open', 'replayed lately', 'discarded lately']);
});

it('deletes a reconciliation so long after its end, with what it found, and never one that runs', async () => {
  const run = async (operator: string, state: string, endedDaysAgo: number | null) => {
    const startedAt = daysAgo(100);
    const endedAt = endedDaysAgo === null ? null : daysAgo(endedDaysAgo);
    const { id } = await db.reconciliation.create({
      data: { state, operator, reason: 'x', repair: false, startedAt, endedAt },
    });
    await db.reconciliationMismatch.create({ data: { runId: id, kind: 'books-differ', subject: operator } });
    await db.reconciliationSuspect.create({ data: { runId: id, subject: 'order', id: operator } });
  };
  await run('long ago', 'DONE', 11);
  await run('broken off long ago', 'BROKEN_OFF', 11);
  await run('lately', 'DONE', 9);
  await run('running', 'RUNNING', null);
  expect(await clean(runs)).toBe(2);
  const left = ['lately', 'running'];
  expect((await db.reconciliation.findMany({ orderBy: { id: 'asc' } })).map(({ operator }) => operator)).toEqual(left);
  expect((await db.reconciliationMismatch.findMany({ orderBy: { id: 'asc' } })).map(({ subject }) => subject)).toEqual(
    left,
  );
  expect((await db.reconciliationSuspect.findMany({ orderBy: { id: 'asc' } })).map(({ id }) => id)).toEqual(left);
});
