// One PostgreSQL server for all integration tests, and a migrated template that each file clones. Plain JavaScript on the
// built packages, because Jest loads a global set-up outside its own transformer.
import { migrate } from '@ticket-saga/prisma/migrate';
import { startPlatform } from '@ticket-saga/platform/platform';

export default async function setUp() {
  const platform = await startPlatform({ parts: ['postgres'] });
  globalThis.intPlatform = platform;
  process.env.TEST_POSTGRES_URL = platform.urls.postgres;
  const template = new URL(platform.urls.postgres);
  template.pathname = '/tickets_template';
  await migrate(template.href);
}
