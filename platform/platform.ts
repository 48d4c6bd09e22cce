import { spawn, type ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { chmod, mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { camundaPart } from './camunda.ts';
import { checkSpace, explainDisk, makeDirectory } from './disk.ts';
import { findJdk, type Jdk } from './jdk.ts';
import { kafkaPart } from './kafka.ts';
import type { PartHandle } from './keeper.ts';
import { migratePart } from './migrate.ts';
import { opensearchPart } from './opensearch.ts';
import { operatePart } from './operate.ts';
import { partNames, type EngineOptions, type Part, type PartContext, type PartName } from './part.ts';
import { claim, sweep } from './pidfiles.ts';
import { checkPorts, fillPorts } from './ports.ts';
import { postgresPart } from './postgres.ts';
import { silentReport, type Report } from './report.ts';
import type { RestartPace } from './restart.ts';
import { copyPart, planCopies, servicePart, services, type ServiceCopy } from './services.ts';
import { defaultCacheDir, repositoryRoot, serviceEnvironment, urlsOf, type Ports, type Urls } from './settings.ts';
import { supervise } from './supervisor.ts';

export interface PlatformOptions {
  /** Default: all of them. Nothing is added: `['camunda']` is a broker alone. */
  parts?: readonly PartName[];
  /** How many processes of each of our services; the second of order-service is the part `order-service-2`. Default: 1. */
  copies?: number;
  /** Those not given are free ones. */
  ports?: Partial<Ports>;
  /** Default: a temporary one that `stop` removes, with PostgreSQL not waiting for the disk. */
  dataDir?: string;
  cacheDir?: string;
  /** On top of the caller's environment and of what is derived from the ports, for services and migration. */
  env?: Record<string, string>;
  /** Restart what dies? Default: yes. */
  restart?: boolean;
  /** How long to wait before; for tests that kill the same part again and again. */
  pace?: RestartPace;
  engine?: Partial<EngineOptions>;
  report?: Report;
  /** Gives up the start: what was started is stopped and `startPlatform` rejects. */
  signal?: AbortSignal;
  /** Is given a function that kills everything at once, also while the start is under way. */
  onKill?: (kill: () => void) => void;
}

export interface Platform {
  ports: Ports;
  urls: Urls;
  dataDir: string;
  /** Where the further processes of the services answer, by their names. */
  copyUrls: ReadonlyMap<PartName, string>;
  /** What a service needs to find the parts: for tests that start a service of their own. */
  env: Record<string, string>;
  part(name: PartName): PartHandle;
  /** Stops everything in reverse order; can be called twice. */
  stop(): Promise<void>;
}

/** Starts the parts and resolves when all are ready. When one fails, the others are stopped and the reason is thrown. */
export async function startPlatform(options: PlatformOptions = {}): Promise<Platform> {
  const { signal = new AbortController().signal, report = silentReport } = options;
  const temporary = options.dataDir === undefined;
  const dataDir = options.dataDir ?? (await temporaryDirectory());
  await prepareDataDir(dataDir);
  const runDir = join(dataDir, 'run');
  const lock = claim(runDir);
  let watchdog: ChildProcess | undefined;
  const close = async () => {
    await stopWatchdog(watchdog);
    lock.release();
    if (temporary) await rm(dataDir, { recursive: true, force: true, maxRetries: 3 });
  };
  try {
    const left = await sweep(runDir);
    if (left > 0) report.note(`Stopped ${left} process${left === 1 ? '' : 'es'} that an earlier run had left behind.`);
    const ports = await fillPorts(options.ports ?? {});
    const running = new Set(options.parts ?? partNames);
    const copies = await planCopies(options.copies ?? 1, running, ports);
    const parts = buildParts(options, { dataDir, ports, durable: !temporary, running, copies });
    await checkPorts(
      parts.flatMap(({ title, ports: used }) => used.map((variable) => ({ title, variable, port: ports[variable] }))),
    );
    watchdog = startWatchdog(temporary ? [runDir, dataDir] : [runDir]);
    const supervisor = supervise(parts, {
      runDir,
      logsDir: join(dataDir, 'logs'),
      report,
      restart: options.restart ?? true,
      ...(options.pace ? { pace: options.pace } : {}),
    });
    const stop = onlyOnce(async () => {
      await supervisor.stop();
      await close();
    });
    options.onKill?.(supervisor.kill);
    signal.addEventListener('abort', supervisor.abort, { once: true });
    try {
      signal.throwIfAborted();
      await supervisor.start();
    } catch (error) {
      await stop();
      throw explainDisk(error, dataDir, 'DATA_DIR');
    }
    return {
      ports,
      urls: urlsOf(ports),
      dataDir,
      copyUrls: new Map(copies.map(({ name, port }) => [name, `http://127.0.0.1:${port}`])),
      env: { ...serviceEnvironment(ports), ...options.env },
      part: supervisor.part,
      stop,
    };
  } catch (error) {
    await close();
    throw error;
  }
}

function buildParts(
  options: PlatformOptions,
  {
    dataDir,
    ports,
    durable,
    running,
    copies,
  }: Pick<PartContext, 'dataDir' | 'ports' | 'durable'> & { running: Set<PartName>; copies: readonly ServiceCopy[] },
): Part[] {
  const env = withoutNpm(process.env);
  let jdk: Promise<Jdk> | undefined;
  const context: PartContext = {
    root: repositoryRoot(),
    dataDir,
    ports,
    durable,
    env,
    cacheDir: options.cacheDir ?? defaultCacheDir(process.env),
    serviceEnv: { ...env, ...serviceEnvironment(ports), ...options.env },
    jdk: () => (jdk ??= findJdk(process.env)),
    engine: { exporter: running.has('opensearch') ? 'opensearch' : 'none', clock: 'system', ...options.engine },
  };
  const parts = [
    postgresPart(context),
    kafkaPart(context),
    opensearchPart(context),
    camundaPart(context),
    operatePart(context),
    migratePart(context),
    ...services.map((service) => servicePart(service, context)),
  ];
  return [...parts.filter(({ name }) => running.has(name)), ...copies.map((copy) => copyPart(copy, context))];
}

/** npm tells its scripts' children how it was called; an npm started by them would take that for its own options. */
const withoutNpm = (env: NodeJS.ProcessEnv): NodeJS.ProcessEnv =>
  Object.fromEntries(Object.entries(env).filter(([name]) => !/^npm_(config|package|lifecycle)_/i.test(name)));

async function temporaryDirectory(): Promise<string> {
  const directory = await mkdtemp(join(tmpdir(), 'ticket-saga-'));
  await chmod(directory, 0o755);
  return directory;
}

async function prepareDataDir(dataDir: string): Promise<void> {
  for (const name of ['run', 'logs']) await makeDirectory(join(dataDir, name), 'DATA_DIR');
  // The broker stops working when less than half of this is left.
  await checkSpace(dataDir, 1_000, 'The engine', 'DATA_DIR');
}

function startWatchdog(args: readonly string[]): ChildProcess {
  const script = join(repositoryRoot(), 'platform', 'dist', 'watchdog.js');
  const child = spawn(process.execPath, [script, ...args], { detached: true, stdio: ['pipe', 'ignore', 'ignore'] });
  child.unref();
  return child;
}

async function stopWatchdog(child: ChildProcess | undefined): Promise<void> {
  if (!child || child.exitCode !== null) return;
  child.ref();
  const exit = once(child, 'exit');
  child.stdin?.end();
  await exit;
}

/** The same promise for every call. */
function onlyOnce<T>(work: () => Promise<T>): () => Promise<T> {
  let result: Promise<T> | undefined;
  return () => (result ??= work());
}
