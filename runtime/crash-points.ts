/**
 * Places at which a test can kill this process: on the very line between an effect and what must follow it. Inert unless
 * the environment variable CRASH_DIR is set; that is no setting of the shop, and refused where the shop is real.
 *
 * Whoever makes the file `CRASH_DIR/<crashFile(point, tag)>` arms a point for one order. Whoever comes there takes the
 * file away, so that one death follows and no second, and stops; the process is gone (SIGKILL) at once, or after as many
 * milliseconds as the file says: others may come to points of their own meanwhile, and die there in the same death.
 */
import { readFileSync, renameSync } from 'node:fs';
import { join } from 'node:path';
import { ConfigError } from './config.ts';

let directory: string | undefined;

/**
 * Once, before the service starts. Throws `ConfigError` where points must not be armed.
 * @param env what decides: CRASH_DIR, and AUTH_MODE or NODE_ENV that refuse it
 */
export function allowCrashPoints(env: NodeJS.ProcessEnv = process.env): void {
  const wanted = env['CRASH_DIR'] || undefined;
  if (wanted !== undefined && (env['AUTH_MODE'] === 'jwt' || env['NODE_ENV'] === 'production'))
    throw new ConfigError('CRASH_DIR kills this process at will: it is for tests only, and refused here.');
  directory = wanted;
}

/** The file that arms `point` for `tag`: an order id, or what else is known at the point. */
export function crashFile(point: string, tag: string): string {
  return encodeURIComponent(`${point}@${tag}`);
}

/** Ends the process here if a test wants it; else nothing. A process that dies leaves `<file>.<pid>` as its trace. */
export function crashPoint(point: string, tag: string | undefined): Promise<never> | void {
  if (directory === undefined || tag === undefined) return;
  const armed = join(directory, crashFile(point, tag));
  const taken = `${armed}.${process.pid}`;
  try {
    renameSync(armed, taken); // of two processes that come here one dies
  } catch {
    return; // not armed
  }
  const die = () => process.kill(process.pid, 'SIGKILL');
  const lingerMs = Number(readFileSync(taken, 'utf8'));
  if (lingerMs > 0) setTimeout(die, lingerMs);
  else die();
  return new Promise<never>(() => undefined); // nothing that follows is done
}
