import { mkdir, stat, statfs } from 'node:fs/promises';
import { dirname } from 'node:path';
import { errorCode, PlatformError } from './errors.ts';

export type DirectoryVariable = 'DATA_DIR' | 'CACHE_DIR';

export const exists = (path: string): Promise<boolean> =>
  stat(path).then(
    () => true,
    () => false,
  );

/** Turns the file system's errors into a sentence that names the directory and the setting that moves it. */
export function explainDisk(error: unknown, directory: string, variable: DirectoryVariable): unknown {
  const move = `or choose another place: ${variable}=/some/where`;
  switch (errorCode(error)) {
    case 'ENOSPC':
    case 'EDQUOT':
      return new PlatformError(`The disk with ${directory} is full: free some space, ${move}.`, { cause: error });
    case 'EACCES':
    case 'EPERM':
    case 'EROFS':
      return new PlatformError(`Cannot write to ${directory}: make it writable, ${move}.`, { cause: error });
    case 'ENOTDIR':
    case 'EEXIST':
      return new PlatformError(`${directory} is in the way and is not a directory: move it, ${move}.`, {
        cause: error,
      });
    default:
      return error;
  }
}

/**
 * Makes a directory and those above it; throws a PlatformError when it cannot. Node's own recursive `mkdir` says ENOENT
 * on a read-only file system and never returns below /proc.
 */
export async function makeDirectory(directory: string, variable: DirectoryVariable): Promise<void> {
  try {
    await mkdir(directory);
  } catch (error) {
    if (errorCode(error) === 'EEXIST' && (await stat(directory)).isDirectory()) return;
    if (errorCode(error) !== 'ENOENT') throw explainDisk(error, directory, variable);
    if (await exists(dirname(directory))) throw explainDisk({ code: 'EACCES' }, directory, variable);
    await makeDirectory(dirname(directory), variable);
    await makeDirectory(directory, variable);
  }
}

/** Throws a PlatformError when less than `neededMb` is free; `why` says what needs it. */
export async function checkSpace(
  directory: string,
  neededMb: number,
  why: string,
  variable: DirectoryVariable,
): Promise<void> {
  const { bavail, bsize } = await statfs(directory);
  const freeMb = Math.floor((bavail * bsize) / 1e6);
  if (freeMb >= neededMb) return;
  throw new PlatformError(
    `${why} needs ${neededMb} MB in ${directory}, but the disk has only ${freeMb} MB left: ` +
      `free some space, or choose another place: ${variable}=/some/where.`,
  );
}
