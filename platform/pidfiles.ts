import { mkdirSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { z } from 'zod';
import { PlatformError, errorCode } from './errors.ts';
import { identify, isAlive, stopProcess, type ProcessId } from './processes.ts';

const pidFileSchema = z.object({
  pid: z.number(),
  started: z.string().nullable(),
  stopSignal: z.enum(['SIGTERM', 'SIGINT', 'SIGKILL']).catch('SIGTERM'),
  stopWithinSeconds: z.number().default(10),
  /** Higher ones are stopped first. */
  stage: z.number().default(0),
});

export type PidFile = z.infer<typeof pidFileSchema>;

const supervisorFile = (runDir: string) => join(runDir, 'supervisor.pid');

/** Synchronous, right after the spawn: there must be no moment in which a child is not on record. */
export function writePidFile(runDir: string, name: string, entry: PidFile): void {
  writeFileSync(join(runDir, `${name}.json`), JSON.stringify(entry));
}

export function removePidFile(runDir: string, name: string): void {
  rmSync(join(runDir, `${name}.json`), { force: true });
}

/** Stops every process on record that is really ours, the last started first. Says how many there were. */
export async function sweep(runDir: string): Promise<number> {
  const files = readdirSync(runDir).filter((name) => name.endsWith('.json'));
  const entries = files.map((name) => ({ name, entry: readPidFile(join(runDir, name)) }));
  const alive = entries.flatMap(({ entry }) => (entry && isAlive(entry) ? [entry] : []));
  const stages = [...new Set(alive.map((entry) => entry.stage))].sort((a, b) => b - a);
  for (const stage of stages) {
    const together = alive.filter((entry) => entry.stage === stage);
    await Promise.all(together.map((entry) => stopProcess(entry, entry.stopSignal, entry.stopWithinSeconds)));
  }
  for (const { name } of entries) rmSync(join(runDir, name), { force: true });
  return alive.length;
}

function readPidFile(path: string): PidFile | undefined {
  try {
    return pidFileSchema.parse(JSON.parse(readFileSync(path, 'utf8')));
  } catch {
    // Half written when the machine went down: whatever it named is gone too.
    return undefined;
  }
}

/** The supervisor that has this directory now. */
export function runningSupervisor(runDir: string): ProcessId | undefined {
  try {
    const entry = pidFileSchema.parse(JSON.parse(readFileSync(supervisorFile(runDir), 'utf8')));
    return isAlive(entry) ? entry : undefined;
  } catch {
    return undefined;
  }
}

export class AlreadyRunningError extends PlatformError {
  override name = 'AlreadyRunningError';
}

/** Makes this process the one supervisor of the directory; throws AlreadyRunningError when another one has it. */
export function claim(runDir: string): { release: () => void } {
  mkdirSync(runDir, { recursive: true });
  const file = supervisorFile(runDir);
  const running = runningSupervisor(runDir);
  if (running)
    throw new AlreadyRunningError(`It is running already (process ${running.pid}, data in ${dirname(runDir)}).`);
  rmSync(file, { force: true });
  try {
    writeFileSync(file, JSON.stringify(identify(process.pid)), { flag: 'wx' });
  } catch (error) {
    if (errorCode(error) === 'EEXIST') throw new AlreadyRunningError(`Another start has just taken ${runDir}.`);
    throw error;
  }
  return { release: () => rmSync(file, { force: true }) };
}
