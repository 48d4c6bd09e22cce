import { existsSync, rmSync } from 'node:fs';
import { sweep } from './pidfiles.ts';

/**
 * `node watchdog.js <run directory> [<temporary directory>]`: waits until its standard input closes, which happens however the supervisor ends,
 * kill -9 included, and then stops whatever the supervisor left running, and removes the temporary directory.
 */
const [, , runDir, temporaryDir] = process.argv;
if (!runDir) throw new Error('usage: watchdog.js <run directory>');
for await (const _ of process.stdin);
try {
  await sweep(runDir);
} catch (error) {
  // After an ordered stop the directory of a test run is gone already, and so are its processes.
  if (existsSync(runDir)) throw error;
}
if (temporaryDir) rmSync(temporaryDir, { recursive: true, force: true });
