// The whole system for the faults tests: two processes of each service, and a job that nobody finishes goes to another
// soon. In CRASH_DIR a test asks a service to die at a named point.
import { mkdtempSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { startSystem } from './whole-system.mjs';

const env = {
  JOB_TIMEOUT: 'PT5S',
  HOLD_GRACE: 'PT15S',
  SWEEP_INTERVAL: 'PT1S',
  PAYMENT_ASK_AFTER: 'PT5S',
  LOG_LEVEL: 'info',
};

export default async function setUp() {
  const crashDir = mkdtempSync(join(tmpdir(), 'ticket-saga-crash-'));
  // The same part dies again and again here: no growing pauses before it comes back.
  const pace = { firstMs: 300, longestMs: 300 };
  await startSystem('faults', { copies: 2, pace, env: { ...env, CRASH_DIR: crashDir } });
}
