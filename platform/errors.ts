/** Trouble that its message explains to the user in a sentence or two: what, and what to do. Printed without a stack. */
export class PlatformError extends Error {
  override name = 'PlatformError';
}

export function errorCode(error: unknown): string | undefined {
  if (typeof error !== 'object' || error === null || !('code' in error)) return undefined;
  return typeof error.code === 'string' ? error.code : undefined;
}

export const messageOf = (error: unknown): string => (error instanceof Error ? error.message : String(error));

/** Turns the file system's errors into a sentence that names the directory and the setting that moves it. */
export function explainDisk(error: unknown, directory: string, variable: string): unknown {
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
