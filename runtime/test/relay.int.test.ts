import { randomUUID } from 'node:crypto';
import { afterAll, afterEach, beforeAll, describe, expect, it } from '@jest/globals';
import { topics } from '../../contract/topics.ts';
import { eventually } from '../../test/support/eventually.ts';
import { createGate } from '../../test/support/gate.ts';
import { testDatabase, type TestDatabase } from '../../test/support/postgres.ts';
import { createHealth } from '../health.ts';
import type { OutgoingRecord, Producer } from '../kafka.ts';
import { createLogger } from '../logger.ts';
import { createMetrics } from '../metrics.ts';
import { addToOutbox, type OutboxEvent } from '../outbox.ts';
import { startRelay } from '../relay.ts';

let database: TestDatabase;
const stops: (() => Promise<void>)[] = [];

beforeAll(async () => {
  database = await testDatabase();
});
afterEach(async () => {
  await Promise.all(stops.splice(0).map((stop) => stop()));
  await database.admin.query('truncate orders.outbox');
});
afterAll(() => database.drop());

const event = (key: string, number: number): OutboxEvent => ({
  topic: topics.createdOrders,
  key,
  value: { idempotencyKey: `${key}:${number}` },
});

/** A broker that keeps what it gets; `send` may be made to fail or to hang. */
function broker(send: (records: OutgoingRecord[]) => Promise<void> = async () => undefined) {
  const records: OutgoingRecord[] = [];
  const producer: Producer = {
    send: async (batch) => {
      await send(batch);
      records.push(...batch);
    },
    stop: async () => undefined,
  };
  return { producer, records };
}

function relay(producer: Producer, silenceMs = Infinity) {
  const health = createHealth();
  const metrics = createMetrics(`test-${randomUUID()}`);
  const started = startRelay({
    url: database.url('orders'),
    schema: 'orders',
    producer,
    health: health.part('relay', silenceMs),
    logger: createLogger('test', 'silent'),
    metrics,
  });
  stops.push(() => started.stop());
  const pending = async () => (await metrics.outboxPending.get()).values[0]?.value;
  return { health, pending, round: () => started.round(), stop: () => started.stop() };
}

const waiting = async () =>
  (await database.admin.query<{ count: number }>('select count(*)::int from orders.outbox where published_at is null'))
    .rows[0]?.count;

/** Rows that a round has claimed. */
const lockedRows = async () => {
  const { rows } = await database.admin.query<{ count: number }>(
    `select count(*)::int from orders.outbox where published_at is null
      and id not in (select id from orders.outbox where published_at is null for update skip locked)`,
  );
  return rows[0]?.count ?? 0;
};

describe('The outbox relay', () => {
  it('sends what was committed, and nothing that was rolled back', async () => {
    const db = database.db('orders');
    const { producer, records } = broker();
    relay(producer);
    await addToOutbox(db, [event('a', 1)]);
    await db
      .$transaction(async (tx) => {
        await addToOutbox(tx, [event('a', 2)]);
        throw new Error('rolled back');
      })
      .catch(() => undefined);
    await addToOutbox(db, [event('a', 3)]);
    await eventually('all is sent', async () => records.length === 2);
    expect(records.map(({ value }) => JSON.parse(value).idempotencyKey)).toEqual(['a:1', 'a:3']);
  });

  it('keeps an event once when its handler ran twice', async () => {
    const db = database.db('orders');
    await addToOutbox(db, [event('a', 1)]);
    await addToOutbox(db, [event('a', 1)]);
    expect(await waiting()).toBe(1);
  });

  it('keeps the order of each key when two processes relay', async () => {
    const db = database.db('orders');
    const slowly = () => new Promise<void>((resolve) => setTimeout(resolve, 5));
    const { producer, records } = broker(slowly);
    relay(producer);
    relay(producer);
    for (let number = 1; number <= 30; number += 1) {
      await addToOutbox(
        db,
        ['a', 'b', 'c', 'd'].map((key) => event(key, number)),
      );
    }
    await eventually('all is sent', async () => records.length >= 120);
    for (const key of ['a', 'b', 'c', 'd']) {
      const numbers = records
        .filter((record) => record.key === key)
        .map(({ value }) => Number(JSON.parse(value).idempotencyKey.slice(2)));
      expect(numbers).toEqual(Array.from({ length: 30 }, (_, index) => index + 1));
    }
  });

  it('shows that events wait while the broker is away, and sends them when it is back', async () => {
    const db = database.db('orders');
    let away = true;
    const { producer, records } = broker(async () => {
      if (away) throw new Error('no broker');
    });
    const { health, pending } = relay(producer);
    await addToOutbox(db, [event('a', 1)]);
    await eventually('the part has failed', () => health.report().parts['relay']?.detail?.includes('no broker'));
    expect(await waiting()).toBe(1);
    expect(await pending()).toBe(1);
    away = false;
    await eventually('the event is sent', () => records.length === 1);
    await eventually('the part is well', () => health.report().ready);
    expect(await pending()).toBe(0);
  });

  it('is not ready while a send hangs, without any error, and ready again once it is through', async () => {
    const gate = createGate();
    const { producer, records } = broker(() => gate.passed);
    const { health } = relay(producer, 3_000);
    await eventually('ready at first', () => health.report().ready);
    await addToOutbox(database.db('orders'), [event('a', 1)]);
    await eventually('red', () => health.report().parts['relay']?.detail?.startsWith('has not been heard of for'));
    gate.open();
    await eventually('green', () => health.report().ready);
    expect(records).toHaveLength(1);
  });

  it('goes on with other keys while another process is paused in the middle of a batch', async () => {
    const db = database.db('orders');
    let paused: (() => void) | undefined;
    const stuck = broker(async () => {
      if (!paused) await new Promise<void>((resolve) => (paused = resolve));
    });
    relay(stuck.producer);
    await addToOutbox(db, [event('a', 1)]);
    await eventually('the first process holds its batch', () => paused !== undefined);
    const { producer, records } = broker();
    relay(producer);
    await addToOutbox(db, [event('a', 2), event('b', 1)]);
    await eventually('the other key is sent', () => records.length === 1);
    expect(records[0]?.key).toBe('b');
    paused?.();
    await eventually('the rest follows, in order', () => stuck.records.length + records.length === 3);
  });

  describe('asked for a round', () => {
    it('has sent what waited when the round is done, and fails with the reason while the broker refuses', async () => {
      const db = database.db('orders');
      let refuses = true;
      const { producer, records } = broker(async () => {
        if (refuses) throw new Error('the message is too large');
      });
      const { round } = relay(producer);
      await addToOutbox(db, [event('a', 1)]);
      const message = 'Events wait in the outbox: the message is too large';
      for (let tries = 1; tries <= 4; tries += 1)
        await expect(round()).rejects.toMatchObject({ code: 'OUTBOX_WAITS', message });
      expect(await waiting()).toBe(1);
      refuses = false;
      const began = Date.now();
      await round();
      expect(Date.now() - began).toBeLessThan(3_000); // by itself the relay would try again after four seconds
      expect(records).toHaveLength(1);
      expect(await waiting()).toBe(0);
    });

    it('lets a round that is under way end first, and does not count that one', async () => {
      const db = database.db('orders');
      const gate = createGate();
      const { producer, records } = broker(() => gate.passed);
      const { round } = relay(producer);
      await addToOutbox(db, [event('a', 1)]);
      await eventually('the round is under way', async () => (await lockedRows()) > 0);
      let done = false;
      const asked = round().then(() => (done = true));
      await addToOutbox(db, [event('a', 2)]);
      expect(done).toBe(false);
      gate.open();
      await asked;
      expect(records.map(({ value }) => JSON.parse(value).idempotencyKey)).toEqual(['a:1', 'a:2']);
    });

    it('does not hurry because of new events while the broker is away', async () => {
      let tries = 0;
      const { producer } = broker(async () => {
        tries += 1;
        throw new Error('no broker');
      });
      const { round } = relay(producer);
      for (let asked = 0; asked < 4; asked += 1) {
        await addToOutbox(database.db('orders'), [event('a', asked)]);
        await expect(round()).rejects.toThrow('no broker'); // now it waits for seconds
      }
      const before = tries;
      for (let number = 0; number < 20; number += 1) await addToOutbox(database.db('orders'), [event('b', number)]);
      expect(tries - before).toBeLessThanOrEqual(1);
    });

    it('refuses when it has been stopped', async () => {
      const { round, stop } = relay(broker().producer);
      await round();
      await stop();
      await expect(round()).rejects.toThrow('the relay has been stopped');
    });
  });
});
