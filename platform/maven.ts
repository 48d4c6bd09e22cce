import { spawn } from 'node:child_process';
import { explainDisk } from './disk.ts';
import { errorCode, PlatformError } from './errors.ts';
import type { Note, PartContext } from './part.ts';

const plugin = 'org.apache.maven.plugins:maven-dependency-plugin:3.8.1';

export interface MavenRun {
  /** The goal of the dependency plugin, then its options. */
  args: string[];
  directory: string;
  artifact: { title: string; megabytes: number };
  context: Pick<PartContext, 'cacheDir' | 'env' | 'jdk'>;
  note: Note;
  signal: AbortSignal;
}

/** Runs one goal of Maven's dependency plugin and notes how far its download is. */
export async function runMaven({ args, directory, artifact, context, note, signal }: MavenRun): Promise<void> {
  const [goal, ...options] = args;
  const jdk = await context.jdk();
  const env = { ...context.env, JAVA_HOME: jdk.home };
  const onOutput = (text: string) => {
    const progress = downloadProgress(text, artifact.megabytes);
    if (progress) note(`downloaded ${progress} of ${artifact.megabytes} MB, once`);
  };
  const result = await run('mvn', ['-Dstyle.color=never', `${plugin}:${goal}`, ...options], {
    directory,
    env,
    signal,
    onOutput,
  });
  if (result.missing) {
    throw new PlatformError(
      `Maven (mvn) is needed once to fetch ${artifact.title}: install it, for example "apt install maven".`,
    );
  }
  if (result.code === 0) return;
  if (/No space left on device/.test(result.output)) {
    throw explainDisk({ code: 'ENOSPC' }, `Maven's downloads (~/.m2) or ${context.cacheDir}`, 'CACHE_DIR');
  }
  throw new PlatformError(
    `Fetching ${artifact.title} through Maven failed: ${reasonIn(result.output)}\n` +
      'Check the network connection (and the mirror or proxy in ~/.m2/settings.xml), then start again.',
  );
}

/** Unpacks a .tar.gz. */
export async function runTar(archive: string, directory: string, title: string, signal: AbortSignal): Promise<void> {
  const result = await run('tar', ['-xzf', archive, '--no-same-owner', '-C', directory], {
    directory,
    env: process.env,
    signal,
  });
  if (result.missing) throw new PlatformError(`tar is needed to unpack ${title}: install it ("apt install tar gzip").`);
  if (result.code === 0) return;
  if (/No space left on device/.test(result.output)) throw explainDisk({ code: 'ENOSPC' }, directory, 'CACHE_DIR');
  throw new PlatformError(
    `Unpacking ${title} failed: ${result.output.trim().slice(-300)}. Start again to fetch it anew.`,
  );
}

/**
 * Maven's `Progress (1): 12/299 MB` → `12 MB`: the last one of several. Only downloads of about the expected size count,
 * not the many small ones that Maven needs for itself; undefined when there is none.
 */
export function downloadProgress(text: string, megabytes: number): string | undefined {
  const all = [...text.matchAll(/([\d.]+)\/(\d+) MB/g)];
  const last = all.filter(([, , total]) => Math.abs(Number(total) - megabytes) <= megabytes / 10).at(-1);
  return last?.[1] === undefined ? undefined : `${Math.floor(Number(last[1]))} MB`;
}

function reasonIn(output: string): string {
  const errors = output.split('\n').filter((line) => line.includes('[ERROR]'));
  const first = errors[0]?.replace(/^.*\[ERROR\]\s*/, '') ?? output.trim().split('\n').at(-1) ?? '';
  return first.slice(0, 500);
}

interface RunOptions {
  directory: string;
  env: NodeJS.ProcessEnv;
  signal: AbortSignal;
  onOutput?: (text: string) => void;
}

function run(file: string, args: string[], { directory, env, signal, onOutput }: RunOptions) {
  return new Promise<{ code: number | null; output: string; missing: boolean }>((resolve, reject) => {
    const child = spawn(file, args, { cwd: directory, env, stdio: ['ignore', 'pipe', 'pipe'], signal });
    let output = '';
    const collect = (data: Buffer) => {
      const text = data.toString('utf8');
      output = (output + text).slice(-20_000);
      onOutput?.(text);
    };
    child.stdout.on('data', collect);
    child.stderr.on('data', collect);
    child.once('error', (error) => {
      if (errorCode(error) === 'ENOENT') resolve({ code: null, output, missing: true });
      else reject(signal.aborted ? signal.reason : error);
    });
    child.once('close', (code) => (signal.aborted ? reject(signal.reason) : resolve({ code, output, missing: false })));
  });
}
