/**
 * A real PostgreSQL database for one test file: a clone of a migrated template (25 ms), dropped at its end. The server
 * is `TEST_POSTGRES_URL`, which the global set-up of the `int` tests provides.
 */
import { randomBytes } from 'node:crypto';
import pg from 'pg';
import { eventually } from './eventually.ts';
import { createDb, type Db } from '../../runtime/database.ts';
import { rolePassword, type ServiceSchema } from '../../runtime/database-url.ts';

export const templateDatabase = 'tickets_template';

export type TestDatabase = {
  /** URL of a service's role, locked into its schema. */
  url(role: ServiceSchema): string;
  /** Prisma client as that role; closed by `drop`. */
  db(role: ServiceSchema): Db;
  /** Superuser, for looking behind the scenes. */
  admin: pg.Pool;
  host: string;
  port: number;
  name: string;
  drop(): Promise<void>;
};

function serverUrl(): URL {
  const url = process.env['TEST_POSTGRES_URL'];
  if (!url)
    throw new Error('TEST_POSTGRES_URL is missing: run these tests by `npm run test:int`, which starts PostgreSQL.');
  return new URL(url);
}

export async function testDatabase(): Promise<TestDatabase> {
  const server = serverUrl();
  const name = `test_${randomBytes(6).toString('hex')}`;
  await onServer(async (client) => {
    // Two files may clone at the same moment; PostgreSQL refuses a template that is being copied by another.
    await client.query('select pg_advisory_lock(7202612)');
    await client.query(`create database ${name} template ${templateDatabase}`);
  });
  const at = (user: string, password: string) => {
    const url = new URL(server);
    url.pathname = `/${name}`;
    url.username = user;
    url.password = encodeURIComponent(password);
    return url.href;
  };
  const admin = new pg.Pool({ connectionString: at(server.username, decodeURIComponent(server.password)), max: 4 });
  admin.on('error', () => undefined); // a lost connection shows at the next query
  const clients: Db[] = [];
  const url = (role: ServiceSchema) => at(role, rolePassword(role));
  return {
    url,
    db(role) {
      const db = createDb(url(role));
      clients.push(db);
      return db;
    },
    admin,
    host: server.hostname,
    port: Number(server.port),
    name,
    async drop() {
      await Promise.all(clients.map((db) => db.$disconnect()));
      await admin.end();
      // `end` answers before the server has heard of it, and a forced drop would send the leaving connections an error
      // that nobody listens for any more: so they are waited for. What stays longer is a straggler that came back.
      await onServer(async (client) => {
        const nobody = async () =>
          (await client.query('select 1 from pg_stat_activity where datname = $1', [name])).rowCount === 0;
        await eventually('all connections are closed', nobody, { withinMs: 3_000, everyMs: 20 }).catch(() => undefined);
        await client.query(`drop database ${name} with (force)`);
      });
    },
  };
}

async function onServer(work: (client: pg.Client) => Promise<unknown>): Promise<void> {
  const server = serverUrl();
  server.pathname = '/postgres';
  const client = new pg.Client({ connectionString: server.href });
  await client.connect();
  try {
    await work(client);
  } finally {
    await client.end();
  }
}
