import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import request from 'supertest';
import { eventually } from '../../test/support/eventually.ts';
import { testDatabase, type TestDatabase } from '../../test/support/postgres.ts';
import { completeOrder } from '../orders.ts';
import { addCatalog, jobContext, listening, tellStep, testService, type TestService } from './support.ts';

let database: TestDatabase;
let one: TestService;
let other: TestService;
let urls: { url: string; close(): Promise<void> }[];

beforeAll(async () => {
  database = await testDatabase();
  one = await testService(database);
  other = await testService(database);
  urls = [await listening(one.app), await listening(other.app)];
  await addCatalog(one.db);
});
afterAll(async () => {
  await one.orderEvents.stop();
  await other.orderEvents.stop();
  for (const { close } of urls) await close();
  await database.drop();
});

const place = async (): Promise<string> =>
  (await request(one.app).post('/orders').send({ productId: '1', quantity: 1 })).body.id;
const complete = (id: string) => completeOrder(one.db, { orderId: id }, jobContext(id, 'completeOrder'));

type Live = { id: number; status: string; currentStep: string | null };

/** Reads a stream; `events` grows while it is open. */
async function follow(service: 0 | 1, id: string, lastEventId?: number) {
  const stop = new AbortController();
  const response = await fetch(`${urls[service]?.url}/orders/${id}/events`, {
    signal: stop.signal,
    headers: lastEventId === undefined ? {} : { 'Last-Event-ID': String(lastEventId) },
  });
  const events: Live[] = [];
  let ended = false;
  const reading = (async () => {
    let text = '';
    for await (const chunk of response.body?.pipeThrough(new TextDecoderStream()) ?? []) {
      text += chunk;
      for (let end = text.indexOf('\n\n'); end >= 0; end = text.indexOf('\n\n')) {
        const block = text.slice(0, end);
        text = text.slice(end + 2);
        const data = /^data: (.*)$/m.exec(block)?.[1];
        if (data === undefined) continue;
        const order = JSON.parse(data);
        events.push({
          id: Number(/^id: (\d+)$/m.exec(block)?.[1]),
          status: order.status,
          currentStep: order.currentStep,
        });
      }
    }
    ended = true;
  })().catch(() => undefined);
  return { response, events, ended: () => ended, stop: () => (stop.abort(), reading) };
}

describe('live events of an order', () => {
  it('begin with the order as it is, tell each change, and end with the order; the same from both services', async () => {
    const id = await place();
    const streams = [await follow(0, id), await follow(1, id)];
    for (const stream of streams) await eventually('the first event', () => stream.events.length === 1);
    await tellStep(other.db, id, 'OrderPlaced');
    for (const stream of streams) await eventually('the change', () => stream.events.length === 2);
    await complete(id);
    for (const stream of streams) await eventually('the end', () => stream.ended());

    for (const { events, response } of streams) {
      expect(response.status).toBe(200);
      expect(response.headers.get('content-type')).toContain('text/event-stream');
      expect(response.headers.get('content-encoding')).toBeNull();
      expect(response.headers.get('cache-control')).toContain('no-transform');
      expect(events).toEqual([
        { id: 1, status: 'PENDING', currentStep: 'OrderPlaced' },
        { id: 2, status: 'PENDING', currentStep: 'ReserveTickets' },
        { id: 3, status: 'CONFIRMED', currentStep: null },
      ]);
    }
  });

  it('tell also what is heard just after the end', async () => {
    const id = await place();
    const stream = await follow(0, id);
    await complete(id);
    await eventually('the end in the stream', () => stream.events.at(-1)?.status === 'CONFIRMED');
    await tellStep(one.db, id, 'ConfirmTickets');
    await eventually('the end of the stream', () => stream.ended());
    const { version } = (await request(one.app).get(`/orders/${id}`)).body;
    expect(stream.events.at(-1)?.id).toBe(version);
  });

  it('go on where the client was', async () => {
    const id = await place();
    const current = await follow(1, id, 1);
    const behind = await follow(1, id, 0);
    await eventually('what was missed', () => behind.events.length === 1);
    expect(current.events).toEqual([]);
    await tellStep(one.db, id, 'OrderPlaced');
    await eventually('the change', () => current.events.length === 1 && behind.events.length === 2);
    expect(current.events[0]?.id).toBe(2);
    await current.stop();
    await behind.stop();
  });

  it('begin with the order as it is for a client that names an event there never was', async () => {
    const id = await place();
    const stream = await follow(0, id, 99);
    await eventually('the first event', () => stream.events.length === 1);
    await complete(id);
    await eventually('the end', () => stream.ended());
    expect(stream.events.map(({ status }) => status)).toEqual(['PENDING', 'CONFIRMED']);
    const late = await follow(0, id, 99);
    await eventually('the end', () => late.ended());
    expect(late.events).toMatchObject([{ status: 'CONFIRMED' }]);
  });

  it('of an ended order are its end, and nothing for who knows it', async () => {
    const id = await place();
    await complete(id);
    const late = await follow(0, id);
    await eventually('the end', () => late.ended());
    expect(late.events).toMatchObject([{ status: 'CONFIRMED' }]);
    expect((await follow(0, id, late.events[0]?.id)).response.status).toBe(204);
  });

  it('miss nothing when the connection to the database is lost in between', async () => {
    const id = await place();
    const stream = await follow(0, id);
    await eventually('the first event', () => stream.events.length === 1);
    await database.admin.query(
      `select pg_terminate_backend(pid) from pg_stat_activity where datname = current_database() and (query ilike 'listen%' or query = 'select 1')`,
    );
    await tellStep(other.db, id, 'OrderPlaced');
    await eventually('the change', () => stream.events.length === 2);
    await stream.stop();
  });

  it('of an order that is not there are 404', async () => {
    for (const id of ['01890000-0000-7000-8000-000000000000', 'abc']) {
      expect((await request(one.app).get(`/orders/${id}/events`)).status).toBe(404);
    }
  });

  it('say that they are still there while nothing changes', async () => {
    const lively = await testService(database, { heartbeatMs: 20 });
    const server = await listening(lively.app);
    urls.push(server);
    const response = await fetch(`${server.url}/orders/${await place()}/events`);
    let text = '';
    for await (const chunk of response.body?.pipeThrough(new TextDecoderStream()) ?? []) {
      text += chunk;
      if (text.includes('\n\n: still here\n\n')) break;
    }
    expect(text).toContain(': still here');
    await lively.orderEvents.stop();
  });

  it('end when the service stops', async () => {
    const third = await testService(database);
    const server = await listening(third.app);
    urls.push(server);
    const id = await place();
    const response = await fetch(`${server.url}/orders/${id}/events`);
    await third.orderEvents.stop();
    expect(await response.text()).toContain('"status":"PENDING"');
  });
});
