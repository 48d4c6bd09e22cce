import { execFile } from 'node:child_process';
import { access, readdir, readFile, realpath } from 'node:fs/promises';
import { delimiter, dirname, join } from 'node:path';
import { promisify } from 'node:util';
import { PlatformError } from './errors.ts';
import { versions } from './versions.ts';

export interface Jdk {
  home: string;
  java: string;
  major: number;
}

/** `21.0.4` → 21, `1.8.0_392` → 8, undefined when it is no version. */
export function majorOf(version: string): number | undefined {
  const match = /^(?:1\.)?(\d+)/.exec(version.trim());
  return match?.[1] === undefined ? undefined : Number(match[1]);
}

/** Flags without which newer JDKs warn at each start; older ones refuse them. */
export function jvmFlags(jdk: Pick<Jdk, 'major'>): string[] {
  if (jdk.major < 24) return [];
  return ['--enable-native-access=ALL-UNNAMED', '--sun-misc-unsafe-memory-access=allow'];
}

/**
 * The first JDK that is new enough: JAVA_HOME, then PATH, then the newest under /usr/lib/jvm.
 * Throws a PlatformError that says which ones were too old and what to install.
 */
export async function findJdk(env: NodeJS.ProcessEnv, jvmRoots: readonly string[] = ['/usr/lib/jvm']): Promise<Jdk> {
  const seen: Jdk[] = [];
  for (const group of [homesFromJavaHome(env), await homesFromPath(env), await homesUnder(jvmRoots)]) {
    const found = (await Promise.all(group.map(inspect))).filter((jdk) => jdk !== undefined);
    const newest = found.filter(({ major }) => major >= versions.java).sort((a, b) => b.major - a.major)[0];
    if (newest) return newest;
    seen.push(...found);
  }
  throw new PlatformError(noJdkMessage(seen));
}

export function noJdkMessage(tooOld: readonly Pick<Jdk, 'home' | 'major'>[]): string {
  const old = tooOld.length
    ? `found only ${[...new Set(tooOld.map(({ home, major }) => `Java ${major} (${home})`))].join(', ')}`
    : 'found none in JAVA_HOME, PATH or /usr/lib/jvm';
  return (
    `Camunda needs a JDK, version ${versions.java} or newer; ${old}. Install one, for example ` +
    `"apt install openjdk-${versions.java}-jdk-headless" or Temurin from https://adoptium.net, or set JAVA_HOME.`
  );
}

const homesFromJavaHome = (env: NodeJS.ProcessEnv): string[] => (env['JAVA_HOME'] ? [env['JAVA_HOME']] : []);

async function homesFromPath(env: NodeJS.ProcessEnv): Promise<string[]> {
  const directories = (env['PATH'] ?? '').split(delimiter).filter(Boolean);
  const homes = directories.map(async (directory) => {
    const java = await realpath(join(directory, 'java')).catch(() => undefined);
    return java === undefined ? [] : [dirname(dirname(java))];
  });
  return (await Promise.all(homes)).flat();
}

async function homesUnder(roots: readonly string[]): Promise<string[]> {
  const lists = roots.map(async (root) => (await readdir(root).catch(() => [])).map((name) => join(root, name)));
  return (await Promise.all(lists)).flat();
}

async function inspect(home: string): Promise<Jdk | undefined> {
  const java = join(home, 'bin', 'java');
  const there = await access(java).then(
    () => true,
    () => false,
  );
  if (!there) return undefined;
  const major = (await majorFromReleaseFile(home)) ?? (await majorFromRunning(java));
  return major === undefined ? undefined : { home, java, major };
}

async function majorFromReleaseFile(home: string): Promise<number | undefined> {
  const text = await readFile(join(home, 'release'), 'utf8').catch(() => '');
  const version = /^JAVA_VERSION="([^"]+)"/m.exec(text)?.[1];
  return version === undefined ? undefined : majorOf(version);
}

async function majorFromRunning(java: string): Promise<number | undefined> {
  const output = await promisify(execFile)(java, ['-version'], { timeout: 10_000 }).catch(() => undefined);
  const version = /version "([^"]+)"/.exec(output?.stderr ?? '')?.[1];
  return version === undefined ? undefined : majorOf(version);
}
