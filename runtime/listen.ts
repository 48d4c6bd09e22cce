/** Hears PostgreSQL's NOTIFY on one channel, on a connection of its own that is made again when it is lost. */
import pg from 'pg';
import { backoffMs, pause } from './backoff.ts';
import type { PartHealth } from './health.ts';
import { errorFields, type Logger } from './logger.ts';

export type ListenOptions = {
  url: string;
  channel: string;
  onNotification(payload: string): void;
  /** After each connect: what was notified in between is not told again, so the hearer must look for itself. */
  onConnected(): void;
  health: PartHealth;
  logger: Logger;
};

/** A connection that died without a word shows within this time, ms. */
const probeMs = 10_000;

/** Listens until the returned function is called. */
export function startListening(options: ListenOptions): () => Promise<void> {
  const stop = new AbortController();
  const running = run(options, stop.signal);
  return async () => {
    stop.abort();
    await running;
  };
}

async function run(options: ListenOptions, signal: AbortSignal): Promise<void> {
  for (let failures = 0; !signal.aborted;) {
    const lost = new AbortController();
    const client = new pg.Client({
      connectionString: options.url,
      connectionTimeoutMillis: 5_000,
      keepAlive: true,
      query_timeout: 5_000,
    });
    const over = AbortSignal.any([signal, lost.signal]);
    client.on('error', () => lost.abort());
    client.on('end', () => lost.abort());
    client.on('notification', (message) => options.onNotification(message.payload ?? ''));
    try {
      await client.connect();
      await client.query(`listen ${client.escapeIdentifier(options.channel)}`);
      options.onConnected();
      while (!signal.aborted) {
        options.health.ok();
        failures = 0;
        await pause(probeMs, over);
        if (!signal.aborted) await client.query('select 1');
      }
    } catch (error) {
      failures += 1;
      options.health.failed(`cannot listen to ${options.channel}: ${String(error)}`);
      options.logger.warn('listening: trying again', { channel: options.channel, failures, ...errorFields(error) });
      await pause(backoffMs(failures, 250, 10_000), signal);
    } finally {
      await client.end().catch(() => undefined);
    }
  }
}
