/** Global set-up of the integration tests: one PostgreSQL server, one migrated template database. */
import { migrate } from '../../prisma/migrate.ts';
import { startTestPostgres } from './test-postgres.ts';
import { templateDatabase } from './postgres.ts';

export default async function setUp(): Promise<void> {
  const server = await startTestPostgres();
  process.env['TEST_POSTGRES_URL'] = server.url;
  const template = new URL(server.url);
  template.pathname = `/${templateDatabase}`;
  await migrate(template.href);
  Object.assign(globalThis, { stopTestPostgres: server.stop });
}
