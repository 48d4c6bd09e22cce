/** Trouble that its message explains to the user in a sentence or two: what, and what to do. Printed without a stack. */
export class PlatformError extends Error {
  override name = 'PlatformError';
}

export function errorCode(error: unknown): string | undefined {
  if (typeof error !== 'object' || error === null || !('code' in error)) return undefined;
  return typeof error.code === 'string' ? error.code : undefined;
}

export const messageOf = (error: unknown): string => (error instanceof Error ? error.message : String(error));
