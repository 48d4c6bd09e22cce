// One broker for all process tests, alone, with a clock to turn and its records in its log.
import { join } from 'node:path';
import { startPlatform } from '@ticket-saga/platform/platform';

export default async function setUp() {
  const engine = { exporter: 'log', clock: 'controlled' };
  const platform = await startPlatform({ parts: ['camunda'], engine, restart: false });
  globalThis.processPlatform = platform;
  process.env.PROCESS_TEST_ENGINE = platform.urls.zeebe;
  process.env.PROCESS_TEST_MANAGEMENT = platform.urls.zeebeManagement;
  process.env.PROCESS_TEST_LOG = join(platform.dataDir, 'logs', 'camunda.log');
}
