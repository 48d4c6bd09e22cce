/** The orders of the crash matrix: each is placed, armed with the point where its process dies, and followed to its end. */
import { randomUUID } from 'node:crypto';
import { readdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { setTimeout as pause } from 'node:timers/promises';
import { z } from 'zod';
import { crashFile } from '../../runtime/crash-points.ts';
import { missing } from '../../tools/play.ts';
import { type OrderView, orderView } from '../../tools/shop.ts';
import { query, shop } from '../support/system.ts';
import type { Row } from './crash-rows.ts';

export type Case = {
  row: Row;
  orderId: string;
  /** What the point is armed for: the order's id, or what is known before there is one. */
  tag: string;
  /** The answer to the last POST said that the order was there already. */
  replayed: boolean;
  /** Somebody does something to the order on its way. */
  acting?: Promise<boolean>;
  /** When it has ended, as it is and as it should be. */
  ended?: OrderView;
  /** What it lacks, as last seen. */
  problem: string;
};

/**
 * How long a process that came to a point lives on, ms: others come to their points and die with it, which makes the
 * matrix quick. `CRASH_LINGER_MS=0` kills at once, one point at a time.
 */
const lingerMs = process.env['CRASH_LINGER_MS'] ?? '500';
const crashDir = () => z.string().min(1).parse(process.env['CRASH_DIR']);
/** All orders of this run are theirs. */
export const customerId = `crash-${randomUUID()}`;

const arm = ({ point }: Row, tag: string) => writeFileSync(join(crashDir(), crashFile(point, tag)), lingerMs);

/** The process that died at the case's point; undefined while none did. */
export function diedThere({ row, tag }: Case): number | undefined {
  const file = crashFile(row.point, tag);
  const trace = readdirSync(crashDir()).find((name) => name.startsWith(`${file}.`));
  return trace === undefined ? undefined : Number(trace.slice(file.length + 1));
}

/** Asks again until there is an answer: any service may be dead at any moment. */
async function persistently<T>(ask: () => Promise<T | undefined>): Promise<T> {
  for (const end = Date.now() + 300_000; ;) {
    const answer = await ask().catch((error: unknown) => {
      if (Date.now() > end) throw error;
    });
    if (answer !== undefined) return answer;
    await pause(200);
  }
}

/** Places an order for each row, a few at once. */
export async function placeAll(rows: readonly Row[]): Promise<Case[]> {
  const left = [...rows];
  const placed: Case[] = [];
  const lane = async () => {
    for (let row = left.shift(); row; row = left.shift()) placed.push(await place(row));
  };
  await Promise.all(Array.from({ length: 8 }, lane));
  return placed;
}

/** Places the row's order and arms its point; where the point is on the way of the placing itself, in the other order. */
async function place(row: Row): Promise<Case> {
  const key = `crash-${randomUUID()}`;
  const product = row.place === 'order-service.catalog' ? `p-${randomUUID()}` : undefined;
  const earlyTag = product ?? (row.place === 'POST /orders' ? key : undefined);
  if (earlyTag !== undefined) arm(row, earlyTag);
  const body = product ? await newProductOrder(product) : await bodyOf(row);
  const { order, replayed } = await persistently(async () => {
    const answer = await shop.call('POST', `${shop.urls.order}/orders`, body, { 'idempotency-key': key });
    if (answer.status !== 202) throw new Error(`${answer.status}: ${JSON.stringify(answer.body)}`);
    return { order: orderView.parse(answer.body), replayed: answer.headers.get('idempotency-replayed') === 'true' };
  });
  const tag = earlyTag ?? order.id;
  if (earlyTag === undefined) arm(row, tag);
  return { row, orderId: order.id, tag, replayed, problem: 'was not looked at' };
}

async function newProductOrder(id: string): Promise<object> {
  await shop.addProduct(10, 10, id);
  return { productId: id, quantity: 1, customerId };
}

const withPayment = z.looseObject({ payment: z.looseObject({}).optional() });

async function bodyOf({ way: { scenario, deadline } }: Row): Promise<object> {
  const body = withPayment.parse(await persistently(async () => scenario.order(shop)));
  return { ...body, customerId, ...(deadline === undefined ? {} : { payment: { ...body.payment, deadline } }) };
}

/** Acts where the scenario does, until every order has ended as its scenario says, or the time is over. */
export async function follow(cases: readonly Case[], withinMs: number): Promise<void> {
  for (const end = Date.now() + withinMs; Date.now() < end; await pause(500)) {
    const open = cases.filter(({ ended }) => !ended);
    if (open.length === 0) return;
    const standing = await query<{ id: string; status: string; final: boolean }>(
      'select id, status, completed_at is not null as final from orders.purchase where id = any($1::uuid[])',
      [open.map(({ orderId }) => orderId)],
    );
    await Promise.all(
      open.map(async (one) => {
        const now = standing.find(({ id }) => id === one.orderId);
        one.problem = `is ${now?.status ?? 'gone'}`;
        if (now?.final) await look(one);
        if (now) act(one);
      }),
    );
  }
}

/** No step of an order that has ended is in one of these. */
const openStates = new Set(['WAITING', 'RUNNING', 'RETRYING', 'STUCK']);

async function look(one: Case): Promise<void> {
  const order = await shop.order(one.orderId).catch(() => undefined);
  if (!order) return;
  const { scenario, orElse, isOver = () => true } = one.row.way;
  const right = [scenario, ...(orElse ? [{ ...scenario, ends: orElse }] : [])];
  const problems = right.map((wanted) => missing(wanted, order, true));
  const open = order.steps.find(({ state }) => openStates.has(state));
  const unsettled = open ? `shows ${open.id} as ${open.state}` : isOver(order) ? undefined : 'is not over yet';
  const problem = problems.includes(undefined) ? unsettled : problems[0];
  one.problem = problem ?? '';
  if (problem === undefined) one.ended = order;
}

function act(one: Case): void {
  const { scenario } = one.row.way;
  if (!scenario.act || one.acting || one.ended) return;
  const deed = scenario.act;
  one.acting = shop
    .order(one.orderId)
    .then((order) => deed(shop, order))
    .catch(() => false);
  void one.acting.then((done) => {
    if (!done) delete one.acting; // again at the next look
  });
}
