import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { eventually } from '../support/eventually.ts';
import { allHold } from '../support/invariants.ts';
import { isReady, part, query, shop } from '../support/system.ts';
import { type Case, customerId, diedThere, follow, placeAll } from './crash-orders.ts';
import { report } from './crash-report.ts';
import { rows as allRows } from './crash-rows.ts';
import { consumers, outboxes } from './crash-ways.ts';

const page = join(import.meta.dirname, '..', '..', 'docs', 'crash-matrix.md');
const orchestrators = ['orchestrator', 'orchestrator-2'];
const services = ['order-service', 'inventory-service', 'payment-service', 'orchestrator'];
/** `CRASH_ROWS='refund'` plays only the rows whose point fits the expression. */
const chosen = process.env['CRASH_ROWS'];
const rows = allRows.filter(({ point }) => new RegExp(chosen ?? '').test(point));
/** An order whose process died early by another's point may pass its own: then another one tries. */
const rounds = 4;

const cases: Case[] = [];
const lastOf = (point: string) => cases.findLast(({ row }) => row.point === point);
const passed = (one: Case | undefined) => one?.ended !== undefined && diedThere(one) !== undefined;

const allReady = () =>
  eventually(
    'all services are ready',
    async () => (await Promise.all(services.flatMap((name) => [isReady(name), isReady(`${name}-2`)]))).every(Boolean),
    { withinMs: 180_000, everyMs: 500 },
  );

beforeAll(async () => {
  await allReady();
  for (let round = 1; round <= rounds; round += 1) {
    const left = rows.filter((row) => !passed(lastOf(row.point)));
    if (left.length === 0) break;
    // No order sets out before all are armed, except where the point is on the way of the placing itself.
    await Promise.all(orchestrators.map((name) => part(name, 'stop')));
    const early = left.filter(({ place: where }) => where === 'POST /orders' || where === 'order-service.catalog');
    const placed = await placeAll(left.filter((row) => !early.includes(row)));
    const placing = placeAll(early);
    await Promise.all(orchestrators.map((name) => part(name, 'start')));
    placed.push(...(await placing));
    cases.push(...placed);
    await follow(cases, 300_000);
    if (cases.some(({ ended }) => !ended)) break;
  }
  await allReady();
}, 1_800_000);

afterAll(async () => {
  const results = rows.map((row) => ({
    row,
    status: passed(lastOf(row.point)) ? lastOf(row.point)?.ended?.status : undefined,
  }));
  process.stdout.write(`${report(results)}\n${cases.length} orders for ${rows.length} rows\n`);
  if (process.env['UPDATE_DOCS'] && chosen === undefined) writeFileSync(page, report(results));
  await shop.close();
});

describe('The crash matrix has a row', () => {
  it('for every consumer that reads a topic', async () => {
    const admin = shop.kafka.admin();
    await admin.connect();
    const { groups } = await admin.listGroups();
    await admin.disconnect();
    const ours = groups
      .map(({ groupId }) => groupId)
      .filter((id) => services.some((name) => id.startsWith(`${name}.`)));
    expect(ours.toSorted()).toEqual(Object.keys(consumers).toSorted());
  });

  it('for every outbox', async () => {
    const found = await query<{ schema: string }>(
      `select table_schema as schema from information_schema.tables where table_name = 'outbox' order by 1`,
    );
    expect(found.map(({ schema }) => schema)).toEqual(Object.keys(outboxes).toSorted());
  });
});

describe('An order whose process is killed', () => {
  it.each(rows)('at $place, $when, ends as it should: $way.scenario.name', ({ point }) => {
    const one = lastOf(point);
    expect({ orderId: one?.orderId, problem: one?.problem }).toEqual({ orderId: one?.orderId, problem: '' });
    const pid = one && diedThere(one);
    if (pid === undefined) throw new Error(`No process ever came to ${point}.`);
    expect(() => process.kill(pid, 0)).toThrow('ESRCH');
  });

  const placing = rows.filter(({ place: where }) => where === 'POST /orders');
  (placing.length === 2 ? it : it.skip)(
    'while it is taken and before it is answered, is named again by the repeat',
    () => {
      const replayed = (when: string) => lastOf(`POST /orders.${when}`)?.replayed;
      expect({ before: replayed('before'), beforeAnswer: replayed('before-answer') }).toEqual({
        before: false,
        beforeAnswer: true,
      });
    },
  );
});

it('after all deaths, what must hold for orders, stock, money and the engine holds', async () => {
  const orders = await query<{ id: string }>('select id from orders.purchase where customer_id = $1', [customerId]);
  // Each key placed one order: none was placed that nobody asked for.
  expect(orders.map(({ id }) => id).toSorted()).toEqual(cases.map(({ orderId }) => orderId).toSorted());
  // A refund whose process died is taken up again after a minute, when its lease is over.
  await allHold(
    orders.map(({ id }) => id),
    { withinMs: 120_000 },
  );
}, 180_000);
