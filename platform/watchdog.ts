import { sweep } from './pidfiles.ts';

/**
 * `node watchdog.js <run directory>`: waits until its standard input closes, which happens however the supervisor ends,
 * kill -9 included, and then stops whatever the supervisor left running.
 */
const runDir = process.argv[2];
if (!runDir) throw new Error('usage: watchdog.js <run directory>');
for await (const _ of process.stdin);
await sweep(runDir).catch((error: unknown) => {
  // The directory of a test run may be gone already, and then so are its processes.
  process.stderr.write(`${String(error)}\n`);
});
