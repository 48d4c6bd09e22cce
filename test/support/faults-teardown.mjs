import { rmSync } from 'node:fs';
import { stopSystem } from './whole-system.mjs';

export default async function tearDown() {
  await stopSystem();
  if (process.env.CRASH_DIR) rmSync(process.env.CRASH_DIR, { recursive: true, force: true });
}
