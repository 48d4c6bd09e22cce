import { join } from 'node:path';
import { PlatformError } from './errors.ts';
import { keep, type PartHandle } from './keeper.ts';
import { lastLines } from './logs.ts';
import type { Part, PartName, ServerPart, StepPart } from './part.ts';
import { runToEnd } from './processes.ts';
import type { Report } from './report.ts';
import type { RestartPace } from './restart.ts';

export interface SupervisorOptions {
  runDir: string;
  logsDir: string;
  report: Report;
  restart: boolean;
  pace?: RestartPace;
}

export interface Supervisor {
  /** Starts the parts, each as soon as what it needs is ready; rejects with the first failure. */
  start: () => Promise<void>;
  /** Stops the parts, each as soon as what needs or uses it is gone. */
  stop: () => Promise<void>;
  /** Makes a start that is under way reject. */
  abort: () => void;
  kill: () => void;
  part: (name: PartName) => PartHandle;
}

/** Starts parts in the order of what they need, keeps them running, and stops them in the reverse order. */
export function supervise(parts: readonly Part[], options: SupervisorOptions): Supervisor {
  const { logsDir, report } = options;
  const starting = new AbortController();
  const { signal } = starting;
  const handles = new Map<PartName, PartHandle>();
  report.plan(parts);
  for (const part of parts) {
    if (part.kind === 'server') handles.set(part.name, keep(part, { ...options, stage: stageOf(part, parts) }));
  }

  async function startServer(part: ServerPart): Promise<void> {
    report.part(part.name, 'preparing');
    await part.prepare?.((text) => report.part(part.name, 'preparing', text), signal);
    signal.throwIfAborted();
    await handles.get(part.name)?.start();
    await part.afterReady?.();
  }

  async function runStep(part: StepPart): Promise<void> {
    report.part(part.name, 'starting');
    const log = join(logsDir, `${part.name}.log`);
    for (const command of await part.commands()) {
      await runToEnd(command, log, signal, async (how) => {
        const lines = await lastLines(log);
        return new PlatformError([`${part.title} failed (${how}). Its last lines, from ${log}:`, ...lines].join('\n'));
      });
    }
    report.part(part.name, 'ready');
  }

  const started = onceForEach(async (part) => {
    await Promise.all(parts.filter(({ name }) => part.needs.includes(name)).map((need) => started(need)));
    signal.throwIfAborted();
    await (part.kind === 'server' ? startServer(part) : runStep(part));
  });

  const stopped = onceForEach(async (part) => {
    await Promise.all(parts.filter((other) => outlivedBy(other).includes(part.name)).map((other) => stopped(other)));
    await handles.get(part.name)?.stop();
  });

  return {
    start: async () => {
      const aborted = new Promise<never>((_, reject) => {
        signal.addEventListener('abort', () => reject(signal.reason), { once: true });
      });
      await Promise.race([Promise.all(parts.map((part) => started(part))), aborted]);
    },
    stop: async () => {
      starting.abort();
      await Promise.all(parts.map((part) => stopped(part)));
      // Downloads and the like that have just been told to give up.
      if (started.calls() > 0) await Promise.allSettled(parts.map((part) => started(part)));
    },
    abort: () => starting.abort(),
    kill: () => handles.forEach((handle) => handle.kill('SIGKILL')),
    part: (name) => {
      const handle = handles.get(name);
      if (handle) return handle;
      throw new PlatformError(`${name} does not run here; these do: ${[...handles.keys()].join(', ')}.`);
    },
  };
}

/** What must go on running until this part has stopped. */
const outlivedBy = (part: Part): readonly PartName[] => [...part.needs, ...(part.uses ?? [])];

/** 0 for a part that stands on nothing, else one above the highest that it stands on: higher ones are stopped first. */
function stageOf(part: Part, parts: readonly Part[]): number {
  const below = parts.filter(({ name }) => outlivedBy(part).includes(name));
  return Math.max(-1, ...below.map((other) => stageOf(other, parts))) + 1;
}

/** Does the work for each part once, however often it is asked for. */
function onceForEach(work: (part: Part) => Promise<void>) {
  const results = new Map<PartName, Promise<void>>();
  const once = (part: Part): Promise<void> => {
    const result = results.get(part.name) ?? work(part);
    results.set(part.name, result);
    return result;
  };
  return Object.assign(once, { calls: () => results.size });
}
