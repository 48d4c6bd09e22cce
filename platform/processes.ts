import { spawn } from 'node:child_process';
import { closeSync, openSync, readFileSync } from 'node:fs';
import { setTimeout as sleep } from 'node:timers/promises';
import { errorCode } from './errors.ts';
import type { Command } from './part.ts';

/** Names one process for good: a pid alone is given to another program some day. */
export interface ProcessId {
  pid: number;
  /** Start time in the kernel's clock ticks since boot; null where there is no /proc. */
  started: string | null;
}

/** Undefined when there is no such process (or only its remains, waiting to be collected). */
export function startedAt(pid: number): string | undefined {
  try {
    const stat = readFileSync(`/proc/${pid}/stat`, 'utf8');
    // The name in parentheses may hold anything, so count from behind it: state is the 1st field, start time the 20th.
    const fields = stat.slice(stat.lastIndexOf(')') + 2).split(' ');
    return fields[0] === 'Z' ? undefined : fields[19];
  } catch {
    return undefined;
  }
}

export const identify = (pid: number): ProcessId => ({ pid, started: startedAt(pid) ?? null });

export const isAlive = ({ pid, started }: ProcessId): boolean => started !== null && startedAt(pid) === started;

/** Signals the whole process group; false when nobody is left in it. */
export function signalGroup(pid: number, signal: NodeJS.Signals): boolean {
  try {
    process.kill(-pid, signal);
    return true;
  } catch (error) {
    if (errorCode(error) === 'ESRCH') return false;
    throw error;
  }
}

export interface Launched {
  /** Undefined when the program could not be started. */
  pid: number | undefined;
  /** Resolves with how it ended, for people; never rejects. */
  ended: Promise<string>;
}

/** Starts a command as the leader of its own process group, so that a terminal's Ctrl-C does not reach it. */
export function launch(command: Command, logFile: string): Launched {
  const log = openSync(logFile, 'a');
  try {
    const child = spawn(command.file, [...command.args], {
      cwd: command.cwd,
      env: command.env,
      detached: true,
      stdio: ['ignore', log, log],
      ...(command.uid === undefined ? {} : { uid: command.uid }),
      ...(command.gid === undefined ? {} : { gid: command.gid }),
    });
    const ended = new Promise<string>((resolve) => {
      child.once('error', (error) => resolve(error.message));
      child.once('exit', (code, signal) => resolve(signal ? `killed by ${signal}` : `exit code ${code}`));
    });
    return { pid: child.pid, ended };
  } finally {
    closeSync(log);
  }
}

/** Runs a command to its end. Throws with what `failure` makes of it unless it exits with 0; an abort kills it. */
export async function runToEnd(
  command: Command,
  logFile: string,
  signal: AbortSignal,
  failure: (how: string) => Promise<Error> | Error,
): Promise<void> {
  signal.throwIfAborted();
  const { pid, ended } = launch(command, logFile);
  const kill = () => pid !== undefined && signalGroup(pid, 'SIGKILL');
  signal.addEventListener('abort', kill, { once: true });
  try {
    const how = await ended;
    signal.throwIfAborted();
    if (how !== 'exit code 0') throw await failure(how);
  } finally {
    signal.removeEventListener('abort', kill);
  }
}

/** Asks the group's leader to stop and kills the group when it does not in time; resolves when it is gone. */
export async function stopProcess(id: ProcessId, signal: NodeJS.Signals, withinSeconds: number): Promise<void> {
  if (!isAlive(id)) return;
  // The leader alone: it knows how to stop its children in order (PostgreSQL's, above all).
  tryKill(id.pid, signal);
  // A stopped (SIGSTOP) process would not hear it.
  signalGroup(id.pid, 'SIGCONT');
  const deadline = Date.now() + withinSeconds * 1_000;
  while (isAlive(id) && Date.now() < deadline) await sleep(20);
  signalGroup(id.pid, 'SIGKILL');
  while (isAlive(id)) await sleep(20);
}

function tryKill(pid: number, signal: NodeJS.Signals): void {
  try {
    process.kill(pid, signal);
  } catch (error) {
    if (errorCode(error) !== 'ESRCH') throw error;
  }
}
