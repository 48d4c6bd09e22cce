// Keeps the engine's records of all tests for what comes after them: the coverage of the diagrams.
import { copyFile, mkdir } from 'node:fs/promises';
import { dirname } from 'node:path';
import { fileURLToPath } from 'node:url';

const kept = fileURLToPath(new URL('../../coverage/process/engine.log', import.meta.url));

export default async function tearDown() {
  const platform = globalThis.processPlatform;
  if (!platform) return;
  const broker = platform.part('camunda');
  // First, because the records of the last steps may be on their way to the log.
  await broker.stop();
  await mkdir(dirname(kept), { recursive: true });
  await copyFile(broker.logFile, kept);
  await platform.stop();
}
