import { randomUUID } from 'node:crypto';
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import type { DeadLetter } from '@ticket-saga/contract/topics';
import type { Db } from '@ticket-saga/runtime/database';
import { deadLetterOf } from '@ticket-saga/runtime/dead-letters';
import { createLogger } from '@ticket-saga/runtime/logger';
import { testDatabase, type TestDatabase } from '../../test/support/postgres.ts';
import { listAudit } from '../audit.ts';
import { keepDeadLetter, keepForeign, listDeadLetters, parseLetter, readDeadLetter } from '../dead-letters.ts';
import type { OrchestratorParts } from '../parts.ts';
import { replayAll } from '../replay-all.ts';
import { discardDeadLetter, replayDeadLetter } from '../replay-dead-letter.ts';

let database: TestDatabase;
let db: Db;
let parts: OrchestratorParts;

beforeAll(async () => {
  database = await testDatabase();
  db = database.db('orchestration');
  parts = { db, logger: createLogger('test', 'silent') } as unknown as OrchestratorParts; // no engine, no services
});
afterAll(() => database.drop());

const operator = 'techlead';
const reason = 'the bug is mended';
let offset = 0;

function letterOf(value: Buffer | string | null, more: Partial<DeadLetter['source']> = {}): DeadLetter {
  const bytes = typeof value === 'string' ? Buffer.from(value) : value;
  offset += 1;
  const source = { topic: 'created-orders', partition: 1, offset: String(offset), key: randomUUID(), value: bytes };
  const letter = deadLetterOf('orchestrator', source, { code: 'UNREADABLE_MESSAGE', message: 'no' });
  return { ...letter, source: { ...letter.source, ...more } };
}
async function keep(letter: DeadLetter): Promise<string> {
  await keepDeadLetter(db, letter, Buffer.from(JSON.stringify(letter)));
  const { items } = await listDeadLetters(db, { limit: 1 });
  return items[0]?.id ?? '';
}
const keepForeignBytes = (rawValue: Buffer) =>
  keepForeign(db, {
    headers: {},
    rawValue,
    source: { topic: 'dead-letters', partition: 0, offset: String((offset += 1)), key: null, value: rawValue },
  });
const sent = (id: string) =>
  db.$queryRaw<unknown[]>`select topic, key, value, headers from outbox where idempotency_key = ${`replay:${id}`}`;
const stateOf = async (id: string) => (await readDeadLetter(db, id)).state;
const outcomes = async (orderId: string) =>
  (await listAudit(db, { orderId, limit: 10 })).items.map(({ action, outcome }) => `${action} ${outcome}`);

describe('A dead letter', () => {
  it('is kept once, however often it comes, and linked to its order', async () => {
    const orderId = randomUUID();
    const letter = letterOf(JSON.stringify({ orderId }));
    const id = await keep(letter);
    expect(await keep(letter)).toBe(id);
    const row = await readDeadLetter(db, id);
    expect(row).toMatchObject({ state: 'OPEN', orderId, code: 'UNREADABLE_MESSAGE', sourceTopic: 'created-orders' });
    expect(parseLetter(row.raw)).toEqual(letter);
  });

  it.each([
    ['null bytes wherever a text may stand', { service: 'a\0b', reason: { code: 'A\0B', message: '\0' } }],
    ['a key longer than an index holds', { idempotencyKey: 'k'.repeat(5_000) }],
    ['a time before all calendars', { occurredAt: '0000-01-01T00:00:00Z' }],
  ])('is kept with %s', async (_what, more) => {
    const letter = { ...letterOf('x'), ...more };
    const id = await keep(letter);
    expect(parseLetter((await readDeadLetter(db, id)).raw)).toEqual(letter);
  });

  it.each([['no JSON'], ['{"type":"DEAD_LETTER"}'], ['']])(
    'that is none (%s) is kept as it came, and can only be discarded',
    async (text) => {
      await keepForeignBytes(Buffer.from(text));
      const { items } = await listDeadLetters(db, { code: 'NO_DEAD_LETTER', limit: 1 });
      const id = items[0]?.id ?? '';
      expect((await readDeadLetter(db, id)).raw.toString()).toBe(text);
      await expect(replayDeadLetter(parts, { operator, reason, id })).rejects.toMatchObject({
        code: 'ACTION_NOT_POSSIBLE',
      });
      expect(await discardDeadLetter(parts, { operator, reason, id })).toMatchObject({ state: 'DISCARDED' });
    },
  );
});

describe('A replay', () => {
  it('sends the message as it was: topic, key, value and headers', async () => {
    const letter = letterOf('{"orderId":"ü"}', { headers: { signature: 'abc' } });
    const id = await keep(letter);
    const row = await replayDeadLetter(parts, { operator, reason, id });
    expect(row).toMatchObject({ state: 'REPLAYED', decidedBy: operator, decidedBecause: reason });
    expect(await sent(id)).toEqual([
      { topic: 'created-orders', key: letter.source.key, value: '{"orderId":"ü"}', headers: { signature: 'abc' } },
    ]);
  });

  it('gives no signature of ours to a message that came without one', async () => {
    const id = await keep(letterOf('{}'));
    await replayDeadLetter(parts, { operator, reason, id });
    expect(await sent(id)).toMatchObject([{ headers: { signature: '' } }]);
    const unbelieved = { ...letterOf('{}'), reason: { code: 'NOT_BELIEVED', message: 'no' } };
    const other = await keep(unbelieved);
    await expect(replayDeadLetter(parts, { operator, reason, id: other })).rejects.toMatchObject({
      code: 'ACTION_NOT_POSSIBLE',
    });
  });

  it('of two operators at once is one, and none follows a decision', async () => {
    const orderId = randomUUID();
    const id = await keep(letterOf(JSON.stringify({ orderId })));
    const entry = { operator, reason, id };
    const all = [replayDeadLetter(parts, entry), discardDeadLetter(parts, entry), replayDeadLetter(parts, entry)];
    const results = await Promise.allSettled(all);
    expect(results.filter(({ status }) => status === 'fulfilled')).toHaveLength(1);
    for (const result of results.filter(({ status }) => status === 'rejected'))
      expect(result).toMatchObject({ reason: { code: 'STALE_ACTION' } });
    const replayed = (await stateOf(id)) === 'REPLAYED';
    expect(await sent(id)).toHaveLength(replayed ? 1 : 0);
    expect(await outcomes(orderId)).toEqual([`${replayed ? 'replay' : 'discard'}-dead-letter done`]);
    await expect(discardDeadLetter(parts, entry)).rejects.toMatchObject({ code: 'STALE_ACTION' });
  });

  it.each([
    ['bytes that are no text', letterOf(Buffer.from([0xff, 0x00]))],
    ['null bytes', letterOf('a\0b')],
    ['no value', letterOf(null)],
    ['a call of the provider', letterOf('{}', { topic: 'webhook' })],
    ['an answer of the provider', letterOf('{}', { topic: 'provider' })],
    ['a letter about a letter', letterOf('{}', { topic: 'dead-letters' })],
    ['a topic that nobody reads', letterOf('{}', { topic: 'elsewhere' })],
  ])('is refused for %s, with what to do', async (_what, letter) => {
    const id = await keep(letter);
    await expect(replayDeadLetter(parts, { operator, reason, id })).rejects.toMatchObject({
      code: 'ACTION_NOT_POSSIBLE',
      message: expect.stringMatching(/discard/i),
    });
    expect([await stateOf(id), await sent(id)]).toEqual(['OPEN', []]);
  });

  it('of all takes those that match, oldest first, page by page, and leaves what came later', async () => {
    const service = 'payment-service';
    const ids: string[] = [];
    for (const topic of ['catalog', 'webhook', 'catalog', 'catalog'])
      ids.push(await keep({ ...letterOf('{}', { topic }), service }));
    const entry = { operator, reason, service, limit: 2 };
    const first = await replayAll(parts, entry);
    expect(first).toMatchObject({ replayed: 1, refused: [{ id: ids[1], code: 'ACTION_NOT_POSSIBLE' }] });
    const later = await keep({ ...letterOf('{}'), service });
    const second = await replayAll(parts, { ...entry, cursor: first.nextCursor ?? '' });
    expect(second).toEqual({ replayed: 2, refused: [], nextCursor: null });
    expect(await Promise.all([...ids, later].map(stateOf))).toEqual([
      'REPLAYED',
      'OPEN',
      'REPLAYED',
      'REPLAYED',
      'OPEN',
    ]);
  });

  it('of what there is not is 404', async () => {
    await expect(replayDeadLetter(parts, { operator, reason, id: '999999999' })).rejects.toMatchObject({
      code: 'DEAD_LETTER_NOT_FOUND',
    });
  });
});
