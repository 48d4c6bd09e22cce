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
  process.env.JOB_TIMEOUT = env.JOB_TIMEOUT;
  // A third of it, as everywhere: a paused process is lent jobs for as long as its last poll waits in the engine.
  process.env.ZEEBE_BROKER_GATEWAY_LONGPOLLING_TIMEOUT = '1700';
  // The same part dies again and again here: no growing pauses before it comes back.
  const pace = { firstMs: 300, longestMs: 300 };
  await startSystem('faults', { copies: 2, pace, env: { ...env, CRASH_DIR: crashDir } });
}
