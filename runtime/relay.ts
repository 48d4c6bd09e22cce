/**
 * Sends the outbox to Kafka: in batches, in order for each key, woken by the commit (NOTIFY) with a slow poll behind.
 *
 * Several processes of a service relay at once. Each claims whole keys: it locks the oldest waiting row of a key and
 * takes the rest of that key with it, so no other process can send a later event of the key first. A process that is
 * paused in the middle loses its transaction after `idle_in_transaction_session_timeout`, and another goes on; what the
 * paused one sends when it wakes up is a repeat, which every reader tolerates.
 */
import pg from 'pg';
import { backoffMs, withDeadline } from './backoff.ts';
import { type Bell, createBell } from './bell.ts';
import { crashPoint } from './crash-points.ts';
import type { ServiceSchema } from './database-url.ts';
import { PassingFault } from './errors.ts';
import type { PartHealth } from './health.ts';
import type { Producer } from './kafka.ts';
import { errorFields, type Logger } from './logger.ts';
import type { Metrics } from './metrics.ts';

const batchSize = 500;
const pollMs = 1_000;

type Row = { id: string; topic: string; key: string; value: string; headers: Record<string, string> };

// The heads of the keys first; `for update skip locked` re-reads a head that another process has just sent, and drops it.
const claim = `
  with heads as (
    select id, key from outbox o
    where published_at is null
      and not exists (select 1 from outbox earlier where earlier.key = o.key and earlier.published_at is null and earlier.id < o.id)
    order by id limit ${batchSize}
    for update skip locked
  )
  select o.id, o.topic, o.key, o.value, o.headers
  from outbox o join heads using (key)
  where o.published_at is null
  order by o.id limit ${batchSize}`;

export type RelayOptions = {
  url: string;
  schema: ServiceSchema;
  producer: Producer;
  health: PartHealth;
  logger: Logger;
  metrics: Metrics;
};

export type Relay = {
  /**
   * Goes round now, behind a round that is under way, and resolves when that is done. Rejects with `PassingFault`
   * OUTBOX_WAITS and the reason when the round fails, or takes longer than `roundMs`.
   */
  round(): Promise<void>;
  /** Waits for the batch in hand. */
  stop(): Promise<void>;
};

/** Longer than a send and its statements may take, ms; shorter than a caller waits for the answer. */
const roundMs = 15_000;

/** Runs until it is stopped. */
export function startRelay(options: RelayOptions): Relay {
  const stop = new AbortController();
  const rounds: Rounds = { bell: createBell(), asked: [] };
  const running = run(options, rounds, stop.signal);
  return {
    round() {
      if (stop.signal.aborted) return Promise.reject(waits(stopped));
      const done = new Promise<void>((resolve, reject) => rounds.asked.push({ resolve, reject }));
      rounds.bell.ring();
      return withDeadline(done, roundMs, `a round has not ended for ${roundMs / 1_000} s`).catch((error: unknown) => {
        throw waits(error);
      });
    },
    async stop() {
      stop.abort();
      rounds.bell.ring();
      await running;
    },
  };
}

type Rounds = { bell: Bell; asked: { resolve: () => void; reject: (why: unknown) => void }[] };

const stopped = new Error('the relay has been stopped');
const waits = (why: unknown) =>
  new PassingFault(
    'OUTBOX_WAITS',
    `Events wait in the outbox: ${why instanceof Error ? why.message : String(why)}`,
    why,
  );

async function run(options: RelayOptions, rounds: Rounds, signal: AbortSignal): Promise<void> {
  for (let failures = 0; !signal.aborted;) {
    const client = new pg.Client({
      connectionString: options.url,
      connectionTimeoutMillis: 5_000,
      keepAlive: true,
      query_timeout: 20_000, // longer than the server's own limit: for a connection that died without a word
    });
    client.on('error', () => undefined); // a lost connection shows at the next query
    client.on('notification', rounds.bell.ring);
    try {
      await client.connect();
      await client.query(`set idle_in_transaction_session_timeout = '15s'; set statement_timeout = '15s'`);
      await client.query(`listen "outbox_${options.schema}"`);
      await relayUntilStopped(client, options, rounds, signal, () => (failures = 0));
    } catch (error) {
      failures += 1;
      for (const { reject } of rounds.asked.splice(0)) reject(error);
      options.health.failed(`events wait in the outbox: ${String(error)}`);
      options.logger.warn('outbox relay: trying again', { failures, ...errorFields(error) });
      if (signal.aborted) continue;
      client.off('notification', rounds.bell.ring); // new events are no reason to hurry now; who asks for a round is
      rounds.bell.hush();
      await rounds.bell.wait(backoffMs(failures, 500, 10_000));
    } finally {
      await client.end().catch(() => undefined);
    }
  }
  for (const { reject } of rounds.asked.splice(0)) reject(stopped);
}

async function relayUntilStopped(
  client: pg.Client,
  options: RelayOptions,
  { bell, asked }: Rounds,
  signal: AbortSignal,
  onSuccess: () => void,
) {
  while (!signal.aborted) {
    bell.hush();
    const before = asked.length; // who asks while the round is under way is answered by the next
    const sent = await relayBatch(client, options);
    for (const { resolve } of asked.splice(0, before)) resolve();
    onSuccess();
    options.health.ok();
    if (sent === 0) await bell.wait(pollMs);
  }
}

async function relayBatch(client: pg.Client, { producer, metrics, schema }: RelayOptions): Promise<number> {
  await client.query('begin');
  try {
    const { rows } = await client.query<Row>(claim);
    metrics.outboxPending.set(rows.length);
    if (rows.length > 0) {
      for (const { key } of rows) await crashPoint(`${schema} relay.before-send`, key);
      await producer.send(rows);
      for (const { key } of rows) await crashPoint(`${schema} relay.before-mark`, key);
      await client.query('update outbox set published_at = now() where id = any($1::bigint[])', [
        rows.map((row) => row.id),
      ]);
    }
    await client.query('commit');
    metrics.outboxSent.inc(rows.length);
    if (rows.length < batchSize) metrics.outboxPending.set(0);
    return rows.length;
  } catch (error) {
    await client.query('rollback').catch(() => undefined);
    throw error;
  }
}
