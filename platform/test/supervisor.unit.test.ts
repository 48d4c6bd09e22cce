import { access, mkdir, mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { afterEach, beforeEach, expect, test } from '@jest/globals';
import type { PartName, ServerPart } from '../part.ts';
import { sweep, writePidFile } from '../pidfiles.ts';
import { identify, isAlive, launch } from '../processes.ts';
import type { Report } from '../report.ts';
import { supervise } from '../supervisor.ts';

let directory: string;
let events: string[];
const report: Report = {
  plan: () => undefined,
  part: (name, state) => events.push(`${name} ${state}`),
  died: (name, how, lines) => events.push(`${name} died: ${how}: ${lines.join('|')}`),
  note: () => undefined,
};
const options = (restart = true) => ({
  runDir: join(directory, 'run'),
  logsDir: join(directory, 'logs'),
  report,
  restart,
});

beforeEach(async () => {
  events = [];
  directory = await mkdtemp(join(tmpdir(), 'supervisor-'));
  for (const name of ['run', 'logs']) await mkdir(join(directory, name));
});
afterEach(() => rm(directory, { recursive: true }));

const shell = (script: string) => ({ file: 'sh', args: ['-c', script], env: process.env, cwd: directory });
const there = (path: string) =>
  access(path).then(
    () => true,
    () => false,
  );

/** A part that is ready when its script has made the file `<name>.ready`. */
function stub(name: PartName, needs: PartName[] = [], script = `touch ${name}.ready; exec sleep 60`): ServerPart {
  return {
    kind: 'server',
    name,
    title: name,
    needs,
    ports: [],
    command: async () => shell(script),
    ready: () => there(join(directory, `${name}.ready`)),
    readyWithinSeconds: 20,
    stopSignal: 'SIGTERM',
    stopWithinSeconds: 5,
  };
}

test('parts start after what they need and stop before it', async () => {
  const supervisor = supervise([stub('order-service', ['postgres']), stub('postgres')], options());
  await supervisor.start();
  const pids = (['postgres', 'order-service'] as const).map((name) => identify(supervisor.part(name).pid ?? 0));
  await supervisor.stop();
  const order = events.filter((event) => /ready|stopped/.test(event));
  expect(order).toEqual(['postgres ready', 'order-service ready', 'order-service stopped', 'postgres stopped']);
  expect(pids.map(isAlive)).toEqual([false, false]);
});

test('a part that is killed is named with its last lines and comes back', async () => {
  const script = 'echo the last words; touch kafka.ready; exec sleep 60';
  const supervisor = supervise([stub('kafka', [], script)], options());
  await supervisor.start();
  const kafka = supervisor.part('kafka');
  const before = kafka.pid;
  kafka.kill('SIGKILL');
  while (kafka.pid === before) await sleep(10);
  await kafka.start();
  expect(kafka.isReady).toBe(true);
  expect(events).toContain('kafka died: killed by SIGKILL: the last words');
  await supervisor.stop();
});

test('with restarts off what is killed stays down until it is started', async () => {
  const supervisor = supervise([stub('kafka')], options(false));
  await supervisor.start();
  const kafka = supervisor.part('kafka');
  kafka.kill('SIGKILL');
  while (kafka.pid !== undefined) await sleep(10);
  await sleep(50);
  expect(kafka.pid).toBeUndefined();
  await kafka.start();
  expect(kafka.isReady).toBe(true);
  await supervisor.stop();
});

test('a part that never comes up fails the start after a few tries, with its last lines', async () => {
  const supervisor = supervise([stub('kafka', [], 'echo no such luck; exit 3')], options());
  await expect(supervisor.start()).rejects.toThrow(/kafka does not start \(exit code 3\)(.|\n)*no such luck/);
  await supervisor.stop();
}, 15_000);

test('a part that is not ready in time fails the start', async () => {
  const supervisor = supervise([{ ...stub('kafka', [], 'exec sleep 60'), readyWithinSeconds: 0.3 }], options());
  await expect(supervisor.start()).rejects.toThrow('kafka does not start (not ready after 0.3 s)');
  await supervisor.stop();
});

test('a program that is not there fails the start with its name', async () => {
  const missing: ServerPart = { ...stub('kafka'), command: async () => ({ ...shell(''), file: '/no/such/program' }) };
  const supervisor = supervise([missing], options());
  await expect(supervisor.start()).rejects.toThrow('/no/such/program');
  await supervisor.stop();
}, 15_000);

test('a start that is called off rejects and leaves nothing behind', async () => {
  const supervisor = supervise([stub('kafka', [], 'exec sleep 60')], options());
  const starting = supervisor.start();
  const kafka = supervisor.part('kafka');
  while (kafka.pid === undefined) await sleep(5);
  const id = identify(kafka.pid);
  supervisor.abort();
  await expect(starting).rejects.toThrow('abort');
  await supervisor.stop();
  expect(isAlive(id)).toBe(false);
});

test('a part that ignores the polite signal is killed in time', async () => {
  const script = "trap '' TERM; touch kafka.ready; while :; do sleep 1; done";
  const supervisor = supervise([{ ...stub('kafka', [], script), stopWithinSeconds: 0.2 }], options());
  await supervisor.start();
  const id = identify(supervisor.part('kafka').pid ?? 0);
  await supervisor.stop();
  expect(isAlive(id)).toBe(false);
});

test('the sweep stops what is on record, and spares a program that got the same pid later', async () => {
  const runDir = join(directory, 'run');
  const [ours, other] = ['ours', 'other'].map((name) =>
    identify(launch(shell('exec sleep 60'), join(directory, 'logs', name)).pid ?? 0),
  );
  const entry = { stopSignal: 'SIGTERM', stopWithinSeconds: 5, stage: 0 } as const;
  writePidFile(runDir, 'kafka', { pid: 0, started: null, ...ours, ...entry });
  writePidFile(runDir, 'camunda', { pid: other?.pid ?? 0, started: '1', ...entry });
  expect(await sweep(runDir)).toBe(1);
  expect([ours, other].map((id) => id && isAlive(id))).toEqual([false, true]);
  process.kill(other?.pid ?? 0, 'SIGKILL');
});
