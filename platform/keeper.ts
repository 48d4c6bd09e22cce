import { setTimeout as sleep } from 'node:timers/promises';
import { join } from 'node:path';
import { PlatformError } from './errors.ts';
import { capLog, lastLines, rotateLog, sizeOf } from './logs.ts';
import type { PartName, ServerPart } from './part.ts';
import { removePidFile, writePidFile } from './pidfiles.ts';
import { identify, launch, signalGroup, stopProcess, type ProcessId } from './processes.ts';
import type { Report } from './report.ts';
import { restartPauses, type RestartPace } from './restart.ts';

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
  pace?: RestartPace;
  report: Report;
}

/** How often a part that never got ready is tried before its start counts as failed. */
const firstTries = 3;

/** Keeps one server part running: starts it, waits until it is ready, restarts it with growing pauses when it dies. */
export function keep(part: ServerPart, { runDir, logsDir, stage, restart, pace, report }: KeeperOptions): PartHandle {
  const { name } = part;
  const logFile = join(logsDir, `${name}.log`);
  let current: ProcessId | undefined;
  let isReady = false;
  let wasReady = false;
  let wanted = new AbortController();
  let running: Promise<void> | undefined;
  let firstReady: Promise<void> | undefined;

  /** Starts it again and again; returns when it is not wanted any more, throws when it never gets ready. */
  async function run(signal: AbortSignal, onReady: () => void): Promise<void> {
    const pauses = restartPauses(pace);
    while (!signal.aborted) {
      const { how, healthyForMs, lines, gaveUp } = await runOnce(signal, onReady);
      if (signal.aborted) return;
      const pauseMs = pauses.next(healthyForMs);
      if (gaveUp || (!wasReady && pauses.failures >= firstTries)) {
        const reason = `${part.title} does not start (${how}). Its last lines, from ${logFile}:`;
        throw new PlatformError([reason, ...lines].join('\n'));
      }
      const again = restart || !wasReady;
      report.died(name, how, lines, again ? pauseMs / 1_000 : undefined);
      if (!again) return;
      await sleep(pauseMs, undefined, { signal }).catch(() => undefined);
    }
  }

  /** From one start of the process to its end. */
  async function runOnce(signal: AbortSignal, onReady: () => void) {
    report.part(name, 'starting');
    await rotateLog(logFile);
    const logStart = await sizeOf(logFile);
    const command = await part.command();
    signal.throwIfAborted();
    const { pid, ended } = launch(command, logFile);
    if (pid !== undefined) {
      current = identify(pid);
      const { stopSignal, stopWithinSeconds } = part;
      writePidFile(runDir, name, { ...current, stopSignal, stopWithinSeconds, stage });
    }
    const over = new AbortController();
    void ended.then(() => over.abort());
    const outcome = await waitUntilReady(AbortSignal.any([signal, over.signal]));
    const since = Date.now();
    if (outcome === 'ready') {
      isReady = wasReady = true;
      report.part(name, 'ready');
      onReady();
    }
    if (outcome === 'too slow' && current) await stopProcess(current, 'SIGKILL', 1);
    const how = await ended;
    if (current) signalGroup(current.pid, 'SIGKILL'); // children that it left behind
    isReady = false;
    current = undefined;
    removePidFile(runDir, name);
    const lines = await lastLines(logFile, 20, logStart);
    const healthyForMs = outcome === 'ready' ? Date.now() - since : 0;
    if (outcome !== 'too slow') return { how, healthyForMs, lines, gaveUp: false };
    return { how: `not ready after ${part.readyWithinSeconds} s`, healthyForMs, lines, gaveUp: true };
  }

  /** Only the first start has a deadline: later, what a part waits for may be away for long without any fault of its own. */
  async function waitUntilReady(signal: AbortSignal): Promise<'ready' | 'ended' | 'too slow'> {
    const deadline = wasReady ? Infinity : Date.now() + part.readyWithinSeconds * 1_000;
    while (!signal.aborted) {
      if (await part.ready(signal).catch(() => false)) return 'ready';
      if (Date.now() > deadline) return 'too slow';
      await sleep(150, undefined, { signal }).catch(() => undefined);
    }
    return 'ended';
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
