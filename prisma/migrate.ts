/**
 * Brings the database to the newest version: makes what is missing (database, roles), then runs each migration that
 * has not run, one transaction each, under an advisory lock. Rows in `public._prisma_migrations` are those that
 * Prisma's own engine writes, so `prisma migrate status` agrees. A changed file that has run already is an error.
 *
 * Environment: `POSTGRES_URL`, a superuser's URL that names the database to migrate.
 */
import { createHash, randomUUID } from 'node:crypto';
import { readdirSync, readFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import pg from 'pg';
import { rolePassword, serviceSchemas } from '@ticket-saga/runtime/database-url';

const distOrSource = dirname(fileURLToPath(import.meta.url));
const migrationsFolder = join(distOrSource, distOrSource.endsWith('dist') ? '..' : '.', 'migrations');
/** Any number will do, as long as every migration run uses the same. */
const lockKey = 7_202_611;

/** Runs what has not run yet and returns the names of those migrations. */
export async function migrate(url: string): Promise<string[]> {
  await createDatabase(url);
  const client = new pg.Client({ connectionString: url });
  await client.connect();
  try {
    await client.query('select pg_advisory_lock($1)', [lockKey]);
    await createRoles(client);
    await client.query(`create table if not exists public._prisma_migrations (
      id varchar(36) primary key, checksum varchar(64) not null, finished_at timestamptz, migration_name varchar(255) not null,
      logs text, rolled_back_at timestamptz, started_at timestamptz not null default now(), applied_steps_count integer not null default 0)`);
    return await runMissing(client);
  } finally {
    await client.end();
  }
}

async function createDatabase(url: string): Promise<void> {
  const name = new URL(url).pathname.slice(1);
  const server = new URL(url);
  server.pathname = '/postgres';
  const client = new pg.Client({ connectionString: server.href });
  await client.connect();
  try {
    const { rowCount } = await client.query('select 1 from pg_database where datname = $1', [name]);
    if (!rowCount) await client.query(`create database ${client.escapeIdentifier(name)}`);
  } catch (error) {
    if (!(error instanceof pg.DatabaseError && (error.code === '42P04' || error.code === '23505'))) throw error; // another run made it
  } finally {
    await client.end();
  }
}

async function createRoles(client: pg.Client): Promise<void> {
  for (const role of serviceSchemas) {
    const name = client.escapeIdentifier(role);
    await client.query(`do $$ begin create role ${name} login; exception when duplicate_object then null; end $$`);
    await client.query(`alter role ${name} password ${client.escapeLiteral(rolePassword(role))}`);
    await client.query(`alter role ${name} set search_path = ${name}`);
  }
}

async function runMissing(client: pg.Client): Promise<string[]> {
  const { rows } = await client.query<{ migration_name: string; checksum: string }>(
    'select migration_name, checksum from public._prisma_migrations where rolled_back_at is null',
  );
  const done = new Map(rows.map((row) => [row.migration_name, row.checksum]));
  const folders = readdirSync(migrationsFolder, { withFileTypes: true }).filter((entry) => entry.isDirectory());
  const ran: string[] = [];
  for (const name of folders.map((folder) => folder.name).toSorted()) {
    const sql = readFileSync(join(migrationsFolder, name, 'migration.sql'), 'utf8');
    const checksum = createHash('sha256').update(sql).digest('hex');
    if (done.has(name)) {
      if (done.get(name) !== checksum) {
        throw new Error(
          `Migration ${name} has run in another version: put the file back and write a new migration instead.`,
        );
      }
      continue;
    }
    await runOne(client, name, sql, checksum);
    ran.push(name);
  }
  return ran;
}

async function runOne(client: pg.Client, name: string, sql: string, checksum: string): Promise<void> {
  await client.query('begin');
  try {
    await client.query(sql);
    await client.query(
      `insert into public._prisma_migrations (id, checksum, finished_at, migration_name, applied_steps_count)
       values ($1, $2, now(), $3, 1)`,
      [randomUUID(), checksum, name],
    );
    await client.query('commit');
  } catch (error) {
    await client.query('rollback');
    throw new Error(`Migration ${name} failed and was rolled back: ${String(error)}`, { cause: error });
  }
}
