/**
 * Under a steady stream of mixed orders each part dies once by SIGKILL, or is paused by SIGSTOP; nobody tells the others.
 * One test after the other on the same stream; the last ones count stock, money and orders.
 */
import { randomUUID } from 'node:crypto';
import { cpus, loadavg } from 'node:os';
import { setTimeout as delay } from 'node:timers/promises';
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import pg from 'pg';
import { z } from 'zod';
import { durationMs } from '../../runtime/config.ts';
import { placeForSure } from '../../tools/patience.ts';
import { type Placed, placeWave, untilQuiet, type Wave } from '../../tools/waves.ts';
import { eventually } from '../support/eventually.ts';
import { allHold } from '../support/invariants.ts';
import { connection, isReady, part, pidOf, query, shop } from '../support/system.ts';
import { gapsOf, outageIn, type Outage } from './gaps.ts';

const jobTimeoutSeconds = durationMs(z.string().parse(process.env['JOB_TIMEOUT'])) / 1_000;
/** Orders a second, in all, and on their way at once: on a slow machine the stream must not become a flood. */
const rate = 2;
const most = 500;
const mostOpen = 40;
const urls = [shop.urls.order, process.env['ORDER_COPY_URL'] ?? ''];
const ids: string[] = [];
const outages: Outage[] = [];
const enough = new AbortController();
/** Processes that want each core, at the worst. Ours alone are some six; what waits for a core of others is no fault of ours. */
let load = 1;
const ownLoad = 8;
const watchLoad = setInterval(() => {
  load = Math.max(load, (loadavg()[0] ?? 0) / cpus().length);
}, 5_000);
const say = (line: string) => void process.stdout.write(`everything dies: ${line}\n`);
let wave: Wave;
let stream: Promise<Placed>;

beforeAll(async () => {
  const { id: productId } = await shop.addProduct(5_000, 12.34);
  const customerId = `stream-${randomUUID()}`;
  wave = { shop, urls, customerId, productId, say, onPlaced: (id) => ids.push(id) };
  stream = placeWave(wave, { seed: 7, buyers: most, rate, until: enough.signal, hasRoom });
  // Its end is awaited by a test; should one fail before, this one must not be called unheard.
  stream.catch(() => undefined);
  await eventually('the stream flows', () => ids.length > 5, { withinMs: 60_000 });
}, 90_000);

afterAll(async () => {
  clearInterval(watchLoad);
  enough.abort();
  await shop.close();
});

async function hasRoom(): Promise<boolean> {
  const open = await query('select 1 from orders.purchase where customer_id = $1 and completed_at is null', [
    wave.customerId,
  ]).catch(() => []); // PostgreSQL is away: buyers come all the same
  return open.length < mostOpen;
}

async function placeOne(): Promise<string> {
  const body = { customerId: wave.customerId, productId: wave.productId, quantity: 1 };
  const { order } = await placeForSure(shop, urls, body, randomUUID());
  ids.push(order.id);
  return order.id;
}

/** One more order, which must go all the way. */
async function anOrderGoesThrough(after: string): Promise<void> {
  const from = Date.now();
  const id = await placeOne();
  await eventually(
    `order ${id} is confirmed`,
    async () => {
      const rows = await query('select 1 from orders.purchase where id = $1 and status = $2', [id, 'CONFIRMED']);
      return rows.length > 0;
    },
    { withinMs: 300_000, everyMs: 200 },
  );
  say(`${after}: the next order was confirmed after ${((Date.now() - from) / 1_000).toFixed(1)} s`);
}

/** Kills the part and waits for the keeper to have started it again; resolves with when that was. */
async function dies(name: string): Promise<void> {
  const before = await pidOf(name);
  await part(name, 'kill');
  await eventually(`${name} was started again`, async () => ![before, undefined].includes(await pidOf(name)), {
    withinMs: 60_000,
  });
}

/** At the first inventory-service, by its own metrics. */
async function reservationsInHand(): Promise<number> {
  const metrics = await (await fetch(`${shop.urls.inventory}/metrics`)).text();
  return Number(/^jobs_running\{[^}]*reserve-tickets[^}]*\} (\d+)/m.exec(metrics)?.[1] ?? 0);
}

const isBack = (name: string) =>
  eventually(`${name} is back`, () => isReady(name), { withinMs: 400_000, everyMs: 200 });

describe('Orders go on', () => {
  it.each(['inventory-service', 'payment-service', 'order-service', 'orchestrator'])(
    'when one of two %s dies',
    async (name) => {
      await dies(name);
      await anOrderGoesThrough(`${name} died`);
    },
    400_000,
  );

  it('when the payment provider dies, and OpenSearch, which Operate needs and orders do not', async () => {
    await Promise.all([dies('provider-simulator'), dies('opensearch')]);
    await anOrderGoesThrough('provider and OpenSearch died');
  }, 400_000);

  it.each(['camunda', 'kafka', 'postgres'])(
    'when %s was away: nobody else has what it had',
    async (name) => {
      const from = Date.now();
      await dies(name);
      await isBack(name);
      await anOrderGoesThrough(`${name} died and is back after ${Math.round((Date.now() - from) / 1_000)} s`);
      outages.push({ part: name, from, to: Date.now() });
    },
    900_000,
  );

  it('when a worker is paused for 20 s with jobs in its hands, and a relay with events that it has claimed', async () => {
    const before = Date.now();
    const lock = new pg.Client(connection());
    await lock.connect();
    await lock.query('begin');
    await lock.query('select 1 from inventory.product where id = $1 for update', [wave.productId]);
    await Promise.all(Array.from({ length: 12 }, placeOne));
    const blocked = () =>
      query(`select 1 from pg_stat_activity where usename = 'inventory' and wait_event_type = 'Lock'`);
    await eventually('reservations wait', async () => (await blocked()).length >= 4, { withinMs: 30_000 });
    // One poll may have brought them all to the other process.
    await eventually(
      'the process that is going to be paused has some of them in its hands',
      async () => (await reservationsInHand()) > 0 || (await placeOne().then(() => false)),
      { withinMs: 30_000, everyMs: 500 },
    );
    // While Kafka is silent, a relay keeps what it has claimed.
    await part('kafka', 'pause');
    await Promise.all(Array.from({ length: 6 }, placeOne));
    const claims = () =>
      query<{ pid: number }>(
        `select pid from pg_stat_activity where usename = 'orders' and state = 'idle in transaction'
         and now() - state_change > interval '0.5 s'`,
      );
    const held = await eventually(
      'both relays of order-service hold claims',
      async () => {
        const found = await claims();
        return found.length >= 2 && found;
      },
      { withinMs: 30_000 },
    );
    await Promise.all([part('inventory-service', 'pause'), part('order-service', 'pause')]);
    const pausedAt = Date.now();
    await part('kafka', 'resume');
    await lock.query('rollback');
    await lock.end();

    const still = async () => (await claims()).filter(({ pid }) => held.some((claim) => claim.pid === pid));
    await eventually('the paused relay holds its claim', async () => (await still()).length === 1, {
      withinMs: 12_000,
    });
    await eventually('its claim is taken from it', async () => (await still()).length === 0, { withinMs: 30_000 });
    const waiting = () =>
      query(`select 1 from orders.outbox where published_at is null and created_at < to_timestamp($1 / 1000.0)`, [
        pausedAt,
      ]);
    await eventually('the other relay has sent it', async () => (await waiting()).length === 0, { withinMs: 30_000 });
    await delay(Math.max(0, pausedAt + 20_000 - Date.now()));
    await Promise.all([part('inventory-service', 'resume'), part('order-service', 'resume')]);
    await anOrderGoesThrough('paused processes are back');
    const taken = (await gapsOf(ids)).filter(
      ({ elementId, from }) => elementId === 'ReserveTickets' && from.getTime() >= before && from.getTime() <= pausedAt,
    );
    expect(taken.length).toBeGreaterThan(0);
  }, 600_000);
});

describe('At the end', () => {
  it('every order that was promised has ended, none was made twice', async () => {
    enough.abort();
    const { mixedUp } = await stream;
    expect(mixedUp).toBe(0);
    await untilQuiet(wave);
    const rows = await query<{ id: string }>('select id from orders.purchase where customer_id = $1', [
      wave.customerId,
    ]);
    expect(rows.map(({ id }) => id).toSorted()).toEqual(ids.toSorted());
  }, 600_000);

  it('stock, money and orders agree in all books, and nothing hangs in the engine', async () => {
    await allHold(ids, { withinMs: 180_000 });
  }, 200_000);

  it('no step stood still for longer than the job time-out and 5 s, where nothing was away of which there is only one', async () => {
    const gaps = (await gapsOf(ids)).map((gap) => ({ ...gap, outage: outageIn(gap, outages) }));
    const told = gaps.slice(0, 8).map(({ seconds, elementId, orderId, outage }) => {
      const why = outage ? `while ${outage.part} was away` : '';
      return `  ${seconds.toFixed(1).padStart(6)} s  ${elementId.padEnd(20)} ${orderId}  ${why}`;
    });
    const ours = gaps.filter(({ outage }) => !outage);
    say(
      `${ids.length} orders; largest gap between two RUNNING of one step: ${ours[0]?.seconds.toFixed(1) ?? 'none'} s ` +
        `(job time-out ${jobTimeoutSeconds} s; up to ${load.toFixed(1)} processes wanted each core). ` +
        `The largest, outages included:\n${told.join('\n')}`,
    );
    expect(ours.length).toBeGreaterThan(0);
    expect(ours[0]?.seconds).toBeLessThanOrEqual(jobTimeoutSeconds + 5 * Math.max(1, load / ownLoad));
  });
});
