import { EventEmitter, once } from 'node:events';
import { mkdtemp, rm, utimes, writeFile } from 'node:fs/promises';
import { hostname, tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, test } from '@jest/globals';
import { withLock } from '../lock.ts';
import { identify } from '../processes.ts';

let directory: string;
let file: string;
const options = { signal: new AbortController().signal, pollMs: 5 };
beforeEach(async () => {
  directory = await mkdtemp(join(tmpdir(), 'lock-'));
  file = join(directory, 'a.lock');
});
afterEach(() => rm(directory, { recursive: true }));

test('two that want the lock work one after the other, and the second hears that it waits', async () => {
  const events: string[] = [];
  const heard = new EventEmitter();
  const hasLock = once(heard, 'lock');
  const isWaitedFor = once(heard, 'wait');
  const first = withLock(file, options, async () => {
    events.push('first begins');
    heard.emit('lock');
    await isWaitedFor;
    events.push('first ends');
  });
  await hasLock;
  const onWait = () => {
    events.push('second waits');
    heard.emit('wait');
  };
  const second = withLock(file, { ...options, onWait }, async () => {
    events.push('second begins');
  });
  await Promise.all([first, second]);
  expect(events).toEqual(['first begins', 'second waits', 'first ends', 'second begins']);
});

test('the lock is given back when the work fails', async () => {
  const failing = withLock(file, options, async () => {
    throw new Error('no network');
  });
  await expect(failing).rejects.toThrow('no network');
  expect(await withLock(file, options, async () => 'done')).toBe('done');
});

test('the lock of a process that is gone is taken over at once', async () => {
  await writeFile(file, JSON.stringify({ host: hostname(), pid: process.pid, started: 'in another life' }));
  expect(await withLock(file, options, async () => 'done')).toBe('done');
});

test('a lock that nobody has touched for long is taken over, whatever it says', async () => {
  await writeFile(file, JSON.stringify({ host: 'elsewhere', ...identify(process.pid) }));
  await utimes(file, 0, 0);
  expect(await withLock(file, options, async () => 'done')).toBe('done');
});

test('waiting for a lock ends when it is called off', async () => {
  await writeFile(file, JSON.stringify({ host: hostname(), ...identify(process.pid) }));
  const controller = new AbortController();
  const waiting = withLock(file, { ...options, signal: controller.signal }, async () => 'done');
  controller.abort();
  await expect(waiting).rejects.toThrow('abort');
});
