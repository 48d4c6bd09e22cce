import { readdir, rm } from 'node:fs/promises';
import { join } from 'node:path';
import { explainDisk } from './disk.ts';
import { messageOf, PlatformError } from './errors.ts';
import { runningSupervisor, sweep } from './pidfiles.ts';
import { readSettings } from './settings.ts';

/** `npm run reset`: engine data, indices, topics and databases go together, because each refers to the others. */
const contents: Record<string, string> = {
  camunda: 'engine data',
  operate: "Operate's configuration",
  opensearch: 'search indices',
  kafka: 'topics',
  postgres: 'databases',
  logs: 'logs',
  run: 'process records',
};

async function reset(dataDir: string): Promise<void> {
  const runDir = join(dataDir, 'run');
  const running = runningSupervisor(runDir);
  if (running) {
    throw new PlatformError(
      `It is running (process ${running.pid}): stop it first, with Ctrl-C or "kill ${running.pid}".`,
    );
  }
  const names = await readdir(dataDir).catch(() => []);
  const ours = names.filter((name) => name in contents);
  if (ours.includes('run')) await sweep(runDir);
  for (const name of ours) await rm(join(dataDir, name), { recursive: true, force: true });
  const removed = ours.map((name) => contents[name]).join(', ');
  process.stdout.write(removed ? `Removed from ${dataDir}: ${removed}.\n` : `Nothing to remove in ${dataDir}.\n`);
}

const { dataDir } = readSettings(process.env);
try {
  await reset(dataDir);
} catch (error) {
  process.stderr.write(`${messageOf(explainDisk(error, dataDir, 'DATA_DIR'))}\n`);
  process.exitCode = 1;
}
