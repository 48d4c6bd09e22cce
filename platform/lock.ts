import { mkdir, open, readFile, rename, rm, stat, utimes } from 'node:fs/promises';
import { hostname } from 'node:os';
import { dirname } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { z } from 'zod';
import { errorCode } from './errors.ts';
import { identify, isAlive } from './processes.ts';

const holderSchema = z.object({ host: z.string(), pid: z.number(), started: z.string().nullable() });

export interface LockOptions {
  signal: AbortSignal;
  /** Called once when somebody else has it. */
  onWait?: () => void;
  /** A holder touches its lock three times in this time; one that did not is dead. */
  staleMs?: number;
  pollMs?: number;
}

/**
 * Runs `work` while holding the lock file. It only saves work: two holders (possible for a moment when both find a
 * stale lock) must be harmless by themselves, which a download that ends in an atomic rename is.
 */
export async function withLock<T>(file: string, options: LockOptions, work: () => Promise<T>): Promise<T> {
  const { signal, onWait, staleMs = 30_000, pollMs = 300 } = options;
  await mkdir(dirname(file), { recursive: true });
  let waited = false;
  while (!(await tryTake(file))) {
    signal.throwIfAborted();
    if (await isStale(file, staleMs)) {
      await dropStale(file);
      continue;
    }
    if (!waited) onWait?.();
    waited = true;
    await sleep(pollMs, undefined, { signal });
  }
  const touch = setInterval(() => void utimes(file, new Date(), new Date()).catch(() => undefined), staleMs / 3);
  try {
    return await work();
  } finally {
    clearInterval(touch);
    await rm(file, { force: true });
  }
}

async function tryTake(file: string): Promise<boolean> {
  try {
    const handle = await open(file, 'wx');
    await handle.writeFile(JSON.stringify({ host: hostname(), ...identify(process.pid) }));
    await handle.close();
    return true;
  } catch (error) {
    if (errorCode(error) === 'EEXIST') return false;
    throw error;
  }
}

async function isStale(file: string, staleMs: number): Promise<boolean> {
  const info = await stat(file).catch(() => undefined);
  if (!info) return false;
  if (Date.now() - info.mtimeMs > staleMs) return true;
  const holder = await readHolder(file);
  return holder !== undefined && holder.host === hostname() && holder.started !== null && !isAlive(holder);
}

async function readHolder(file: string) {
  const text = await readFile(file, 'utf8').catch(() => '');
  try {
    return holderSchema.parse(JSON.parse(text));
  } catch {
    return undefined;
  }
}

/** By rename, so that of several who found it stale only one removes it. */
async function dropStale(file: string): Promise<void> {
  const aside = `${file}.${process.pid}.stale`;
  await rename(file, aside).catch((error: unknown) => {
    if (errorCode(error) !== 'ENOENT') throw error;
  });
  await rm(aside, { force: true });
}
