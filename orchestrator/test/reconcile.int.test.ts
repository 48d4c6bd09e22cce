/**
 * All kinds of mismatch in a shop of many orders. RECONCILE_ORDERS=1000000 fills in a million (by hand: minutes):
 *
 *     RECONCILE_ORDERS=1000000 npm run test:int -- orchestrator/test/reconcile.int.test.ts
 */
import { execFile } from 'node:child_process';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import type { Db } from '@ticket-saga/runtime/database';
import { z } from 'zod';
import { countMismatches, findRun, readMismatches, type Run } from '../reconcile-runs.ts';
import { type Kind, kindNames } from '../reconcile-kinds.ts';
import { aliveKey, changeBooks, fillIn, type FilledShop, numberOf, openFilledShop, orderIdOf } from './filled-shop.ts';
import { decoys, seeds } from './seeded-mismatches.ts';

const orders = Number(process.env['RECONCILE_ORDERS'] ?? 5_000);
const patienceMs = 60_000 + orders;
const times = { settle: 2, overdue: 300 };
/** As a service is started; the promise is made for the whole process. */
const mostMegabytes = 300;

let shop: FilledShop;
let db: Db;
beforeAll(async () => {
  shop = await openFilledShop();
  db = shop.database.db('orchestration');
  await fillIn(shop.database, orders);
  await changeBooks(shop.database, []);
}, patienceMs);
afterAll(() => shop.close(), 60_000);

const answer = z.object({ run: z.string(), seconds: z.number(), megabytes: z.number() });

/** Runs it in a process of its own. `running`: what Operate would show. */
async function reconcileInChild(running: object[]) {
  const script = fileURLToPath(new URL('reconcile-child.mjs', import.meta.url));
  const { settings } = shop;
  const databaseUrl = shop.database.url('orchestration');
  const env = { ...process.env, RECONCILE_CHILD: JSON.stringify({ settings, databaseUrl, times, running }) };
  const args = ['--max-old-space-size=256', script];
  const { stdout } = await promisify(execFile)(process.execPath, args, { env });
  const told = answer.parse(JSON.parse(stdout));
  const run = await findRun(db, BigInt(told.run));
  process.stdout.write(`reconciliation of ${orders} orders: ${told.seconds} s, ${told.megabytes} MB at the most\n`);
  return { ...told, run };
}

async function mismatchesOf(run: Run | undefined): Promise<string[]> {
  if (!run) throw new Error('There is no run.');
  const found = await readMismatches(db, run.id, 0n, 1_000);
  return found.map(({ kind, subject }) => `${kind} ${subject}`).toSorted();
}

const running = (key: string, orderId: string, processId = 'ticket-order', age = 3_600) => ({
  key,
  processId,
  orderId,
  age,
});

describe('The reconciliation', () => {
  test(
    'finds nothing wrong where nothing is, and has looked at everything',
    async () => {
      const onTheWay = numberOf('onTheWay', 1);
      const { run, megabytes } = await reconcileInChild([running(aliveKey(onTheWay), orderIdOf(onTheWay))]);
      expect(await mismatchesOf(run)).toEqual([]);
      expect(run).toMatchObject({ state: 'DONE', notes: [] });
      const payments = orders * 0.9;
      expect(run?.counts).toMatchObject({
        orders,
        reservations: orders,
        payments,
        providerPayments: payments,
        processes: 1,
      });
      expect(megabytes).toBeLessThan(mostMegabytes);
    },
    patienceMs,
  );

  test(
    'finds each seeded mismatch of every kind, and no other',
    async () => {
      await changeBooks(shop.database, [...seeds.flatMap(({ sql }) => sql), ...decoys]);
      const final = numberOf('rejected', 1);
      const processes = [
        running(aliveKey(final), orderIdOf(final)),
        running('1234', orderIdOf(999_999_999)),
        // Not wrong: ended meanwhile, just started, a process that works on ended orders, and one of others.
        running('9234', orderIdOf(final)),
        running('1235', orderIdOf(final), 'ticket-order', 0),
        running('1236', orderIdOf(final), 'late-payment'),
        running('1237', orderIdOf(999_999_998), 'no-process-of-ours'),
      ];
      const { run, megabytes } = await reconcileInChild(processes);
      const expected: { kind: Kind; subject: string }[] = [
        ...seeds,
        { kind: 'process-for-final-order', subject: aliveKey(final) },
        { kind: 'process-without-order', subject: '1234' },
      ];
      expect(new Set(expected.map(({ kind }) => kind))).toEqual(new Set(kindNames));
      const paymentIds = await shop.database.admin.query<{ id: string; n: string }>(
        `select payment_id(n) as id, n from unnest($1::bigint[]) as n`,
        [expected.flatMap(({ subject }) => (subject.startsWith('payment ') ? [subject.slice(8)] : []))],
      );
      const named = (subject: string) => paymentIds.rows.find(({ n }) => `payment ${n}` === subject)?.id ?? subject;
      expect(run).toMatchObject({ state: 'DONE', notes: [], counts: { leftForNextRun: 1 } });
      expect(await mismatchesOf(run)).toEqual(
        expected.map(({ kind, subject }) => `${kind} ${named(subject)}`).toSorted(),
      );
      expect(megabytes).toBeLessThan(mostMegabytes);
      const counted = await countMismatches(db, BigInt(run?.id ?? 0));
      expect(counted.find(({ kind }) => kind === 'books-differ')).toEqual({ kind: 'books-differ', found: 2, open: 2 });
    },
    patienceMs,
  );
});
