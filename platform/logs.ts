import { copyFile, open, rename, stat, truncate } from 'node:fs/promises';

const rotateAtStartBytes = 10 * 1024 ** 2;
const longestBytes = 100 * 1024 ** 2;

export const sizeOf = (file: string): Promise<number> =>
  stat(file).then(
    ({ size }) => size,
    () => 0,
  );

/** Before a start: a long log from earlier becomes `<file>.1`. */
export async function rotateLog(file: string): Promise<void> {
  if ((await sizeOf(file)) > rotateAtStartBytes) await rename(file, `${file}.1`);
}

/** Keeps the log of a process that writes for days from filling the disk. The writer appends, so it goes on at the new end. */
export async function capLog(file: string): Promise<void> {
  if ((await sizeOf(file)) < longestBytes) return;
  await copyFile(file, `${file}.1`);
  await truncate(file);
}

/** The last lines of a log, at most 16 kB of it, and none from before the given byte; empty when there is none. */
export async function lastLines(file: string, count = 20, from = 0): Promise<string[]> {
  const handle = await open(file, 'r').catch(() => undefined);
  if (!handle) return [];
  try {
    const { size } = await handle.stat();
    const length = Math.max(0, Math.min(size - from, 16 * 1024));
    const { buffer } = await handle.read(Buffer.alloc(length), 0, length, size - length);
    return buffer.toString('utf8').split('\n').filter(Boolean).slice(-count);
  } finally {
    await handle.close();
  }
}
