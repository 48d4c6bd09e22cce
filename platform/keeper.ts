import { setTimeout as sleep } from 'node:timers/promises';
import { join } from 'node:path';
import { PlatformError } from './errors.ts';
import { capLog, lastLines, sizeOf } from './logs.ts';
import type { PartName, ServerPart } from './part.ts';
import { removePidFile, writePidFile } from './pidfiles.ts';
import { ended, identify, launch, signalGroup, stopProcess, type ProcessId } from './processes.ts';
import type { Report } from './report.ts';
import { restartPauses } from './restart.ts';

/** A part as tests and the supervisor hold it. */
export interface PartHandle {
  readonly name: PartName;
  readonly logFile: string;
  /** Undefined while no process runs. */
  readonly pid: number | undefined;
  readonly isReady: boolean;
  /** Signals the process group; with restarts on, what died comes back after a pause. */
  kill(signal?: NodeJS.Signals): void;
  /** Stops it for good (until `start`). */
  stop(): Promise<void>;
  /** Starts it, or waits for one that is starting; resolves when it is ready. */
  start(): Promise<void>;
}

export interface KeeperOptions {
  runDir: string;
  logsDir: string;
  stage: number;
  /** Restart what dies? Tests may want it to stay dead. */
  restart: boolean;
  report: Report;
}

/** How often a part that never got ready is tried before its start counts as failed. */
const firstTries = 3;

/** Keeps one server part running: starts it, waits until it is ready, restarts it with growing pauses when it dies. */
export function keep(part: ServerPart, { runDir, logsDir, stage, restart, report }: KeeperOptions): PartHandle {
  const { name } = part;
  const logFile = join(logsDir, `${name}.log`);
  let current: ProcessId | undefined;
  let isReady = false;
  let wasReady = false;
  let wanted = new AbortController();
  let running: Promise<void> | undefined;
  let firstReady: Promise<void> | undefined;

  async function run(signal: AbortSignal, onReady: () => void): Promise<void> {
    const pauses = restartPauses();
    while (!signal.aborted) {
      report.part(name, 'starting');
      const logStart = await sizeOf(logFile);
      const child = await launch(await part.command(), logFile);
      const end = ended(child);
      if (child.pid !== undefined) {
        current = identify(child.pid);
        const { stopSignal, stopWithinSeconds } = part;
        writePidFile(runDir, name, { ...current, stopSignal, stopWithinSeconds, stage });
      }
      const over = new AbortController();
      const ready = waitUntilReady(AbortSignal.any([signal, over.signal]));
      const inTime = await Promise.race([ready, end.then(() => false)]);
      const readySince = Date.now();
      if (inTime) {
        isReady = wasReady = true;
        report.part(name, 'ready');
        onReady();
      } else if (current && !signal.aborted) {
        // Too slow, or dead already (then this does nothing).
        await stopProcess(current, 'SIGKILL', 1);
      }
      const how = await end;
      over.abort();
      isReady = false;
      if (current) signalGroup(current.pid, 'SIGKILL'); // children that it left behind
      current = undefined;
      removePidFile(runDir, name);
      if (signal.aborted) return;
      const pauseMs = pauses.next(inTime ? Date.now() - readySince : 0);
      const lines = await lastLines(logFile, 20, logStart);
      if (!wasReady && pauses.failures >= firstTries) {
        throw new PlatformError(
          [`${part.title} does not start (${how}). Its last lines, from ${logFile}:`, ...lines].join('\n'),
        );
      }
      report.died(name, how, lines, restart || !wasReady ? pauseMs / 1_000 : undefined);
      if (!restart && wasReady) return;
      await sleep(pauseMs, undefined, { signal }).catch(() => undefined);
    }
  }

  async function waitUntilReady(signal: AbortSignal): Promise<boolean> {
    const deadline = Date.now() + part.readyWithinSeconds * 1_000;
    while (!signal.aborted && Date.now() < deadline) {
      if (await part.ready(signal).catch(() => false)) return true;
      await sleep(150, undefined, { signal }).catch(() => undefined);
    }
    return false;
  }

  function start(): Promise<void> {
    if (running && firstReady) return isReady || !wasReady ? firstReady : untilReadyAgain();
    wanted = new AbortController();
    const { signal } = wanted;
    firstReady = new Promise((resolve, reject) => {
      signal.addEventListener('abort', () => reject(new PlatformError(`${part.title} was stopped.`)), { once: true });
      running = run(signal, resolve)
        .catch(reject)
        .finally(() => {
          running = undefined;
        });
    });
    // Who starts it gets the rejection; a stop in between must not count as unhandled.
    firstReady.catch(() => undefined);
    return firstReady;
  }

  async function untilReadyAgain(): Promise<void> {
    const { signal } = wanted;
    while (!isReady && !signal.aborted) await sleep(50);
  }

  const cap = setInterval(() => void capLog(logFile).catch(() => undefined), 60_000);
  cap.unref();

  return {
    name,
    logFile,
    get pid() {
      return current?.pid;
    },
    get isReady() {
      return isReady;
    },
    kill: (signal = 'SIGKILL') => {
      if (current) signalGroup(current.pid, signal);
    },
    start,
    stop: async () => {
      wanted.abort();
      if (!running) return;
      report.part(name, 'stopping');
      if (current) await stopProcess(current, part.stopSignal, part.stopWithinSeconds);
      await running;
      report.part(name, 'stopped');
    },
  };
}
