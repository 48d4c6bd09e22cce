import { access, chown, mkdir, readFile, rm } from 'node:fs/promises';
import { join } from 'node:path';
import pg from 'pg';
import { PlatformError } from './errors.ts';
import { lastLines } from './logs.ts';
import type { Command, PartContext, ServerPart } from './part.ts';
import { installBinaries } from './postgres-binaries.ts';
import { runToEnd } from './processes.ts';
import { versions } from './versions.ts';

/** "nobody": PostgreSQL refuses to run as root, so root lends it this identity. */
const unprivileged = 65_534;
const isRoot = process.getuid?.() === 0;
const identity = isRoot ? { uid: unprivileged, gid: unprivileged } : {};

const database = 'tickets';

export function postgresPart(context: PartContext): ServerPart {
  const { dataDir, ports, durable } = context;
  const data = join(dataDir, 'postgres');
  let binaries = '';

  const command = (name: 'initdb' | 'postgres', args: string[]): Command => ({
    file: join(binaries, 'bin', name),
    // As the working directory, and named through /proc: so the other identity needs no rights on the directories
    // above it, which it lacks where the checkout is below /root.
    cwd: data,
    args: ['-D', isRoot ? '/proc/self/cwd' : data, ...args],
    env: { ...context.env, LC_ALL: 'C', TZ: 'UTC' },
    ...identity,
  });

  return {
    kind: 'server',
    name: 'postgres',
    title: `PostgreSQL ${versions.postgres}`,
    needs: [],
    ports: ['POSTGRES_PORT'],
    prepare: async (note, signal) => {
      binaries = await installBinaries(context.cacheDir, note);
      if (
        await access(join(data, 'PG_VERSION')).then(
          () => true,
          () => false,
        )
      )
        return removeForeignLock(data);
      note('creating the database');
      await rm(data, { recursive: true, force: true });
      await mkdir(data, { recursive: true, mode: 0o700 });
      if (isRoot) await chown(data, unprivileged, unprivileged);
      const log = join(dataDir, 'logs', 'postgres.log');
      const password = join(binaries, 'superuser-password');
      const args = ['-U', 'postgres', '--auth=scram-sha-256', `--pwfile=${password}`, '--no-locale', '-E', 'UTF8'];
      await runToEnd(
        command('initdb', durable ? args : [...args, '--no-sync']),
        log,
        signal,
        async (how) =>
          new PlatformError(`Creating the database failed (${how}):\n${(await lastLines(log)).join('\n')}`),
      ).catch(async (error: unknown) => {
        await rm(data, { recursive: true, force: true });
        throw error;
      });
    },
    command: async () => {
      const settings = {
        port: String(ports.POSTGRES_PORT),
        listen_addresses: '127.0.0.1',
        unix_socket_directories: '',
        max_connections: '200',
        shared_buffers: '128MB',
        timezone: 'UTC',
        // Not `synchronous_commit: off`: that would lose commits with a killed server, and tests kill it.
        ...(durable ? {} : { fsync: 'off', full_page_writes: 'off' }),
      };
      return command(
        'postgres',
        Object.entries(settings).flatMap(([name, value]) => ['-c', `${name}=${value}`]),
      );
    },
    ready: async () => {
      await query(ports.POSTGRES_PORT, 'SELECT 1');
      return true;
    },
    afterReady: async () => {
      const found = await query(ports.POSTGRES_PORT, `SELECT 1 FROM pg_database WHERE datname = '${database}'`);
      if (found === 0) await query(ports.POSTGRES_PORT, `CREATE DATABASE ${database}`);
    },
    readyWithinSeconds: 60,
    // Fast shutdown: open transactions are rolled back, nothing is lost.
    stopSignal: 'SIGINT',
    stopWithinSeconds: 15,
  };
}

/** Runs one statement as the superuser and says how many rows came back. */
async function query(port: number, sql: string): Promise<number> {
  const connectionString = `postgresql://postgres:postgres@127.0.0.1:${port}/postgres`;
  const client = new pg.Client({ connectionString, connectionTimeoutMillis: 3_000 });
  // A connection that breaks between two answers is no concern here.
  client.on('error', () => undefined);
  await client.connect();
  try {
    return (await client.query(sql)).rows.length;
  } finally {
    await client.end();
  }
}

/** After a power cut another program may have the pid in the lock file; PostgreSQL would then refuse to start. */
async function removeForeignLock(data: string): Promise<void> {
  const lock = join(data, 'postmaster.pid');
  const pid = Number((await readFile(lock, 'utf8').catch(() => '')).split('\n')[0]);
  if (!pid) return;
  const commandLine = await readFile(`/proc/${pid}/cmdline`, 'utf8').catch(() => undefined);
  if (commandLine !== undefined && !commandLine.includes('postgres')) await rm(lock);
}
