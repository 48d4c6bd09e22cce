import { expect, test } from '@jest/globals';
import { type Db, sql } from '@ticket-saga/runtime/database';
import { decide } from '../decide.ts';

/** A database that answers one after the other. */
function answering(...answers: (unknown[] | Error)[]) {
  let asked = 0;
  const $queryRaw = async () => {
    const answer = answers[Math.min(asked, answers.length - 1)];
    asked += 1;
    if (answer instanceof Error) throw answer;
    return answer;
  };
  return { db: { $queryRaw } as unknown as Db, asked: () => asked };
}

/** As Prisma 7 tells of SQLSTATE 40P01. */
const deadlock = Object.assign(new Error('Raw query failed.'), {
  code: 'P2010',
  meta: { driverAdapterError: { cause: { originalCode: '40P01', kind: 'TransactionWriteConflict' } } },
});

test('the victim of a deadlock is run again', async () => {
  const { db, asked } = answering(deadlock, deadlock, [{ held: true }]);
  await expect(decide(db, sql.sql`select`)).resolves.toEqual({ held: true });
  expect(asked()).toBe(3);
});

test('a statement that lost a race for the reservation is run again', async () => {
  const { db, asked } = answering([], [{ held: true }]);
  await expect(decide(db, sql.sql`select`)).resolves.toEqual({ held: true });
  expect(asked()).toBe(2);
});

test('any other failure is passed on at once', async () => {
  const { db, asked } = answering(new Error('connection refused'), [{}]);
  await expect(decide(db, sql.sql`select`)).rejects.toThrow('connection refused');
  expect(asked()).toBe(1);
});

test('a deadlock that comes again and again is passed on, and a statement without a decision is a bug', async () => {
  await expect(decide(answering(deadlock).db, sql.sql`select`)).rejects.toThrow('Raw query failed.');
  await expect(decide(answering([]).db, sql.sql`select`)).rejects.toThrow('no decision');
});
