import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtempSync, readdirSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from '@jest/globals';
import { allowCrashPoints, crashFile, crashPoint } from '../crash-points.ts';

let directory = '';
beforeEach(() => {
  directory = mkdtempSync(join(tmpdir(), 'crash-points-'));
});
afterEach(() => {
  allowCrashPoints({});
  rmSync(directory, { recursive: true });
});

const arm = (point: string, tag: string, lingerMs = '') =>
  writeFileSync(join(directory, crashFile(point, tag)), lingerMs);

/** A process of its own comes to the points, says that it is still there after each, and ends well. */
async function processAt(points: [point: string, tag: string][]): Promise<{ signal: unknown; said: string }> {
  const runtime = new URL('../dist/crash-points.js', import.meta.url).href;
  const script = `
    const { allowCrashPoints, crashPoint } = await import(${JSON.stringify(runtime)});
    allowCrashPoints();
    await Promise.all(${JSON.stringify(points)}.map(async ([point, tag]) => {
      await crashPoint(point, tag);
      process.stdout.write(point + ' ');
    }));`;
  const env = { ...process.env, CRASH_DIR: directory, AUTH_MODE: '', NODE_ENV: '' };
  const child = spawn(process.execPath, ['--input-type=module', '-e', script], { env });
  let said = '';
  child.stdout.on('data', (text: Buffer) => (said += text.toString()));
  const [, signal] = await once(child, 'close');
  return { signal, said };
}

describe('A crash point', () => {
  it('is nothing where CRASH_DIR is not set, even when a file would arm it', () => {
    arm('effect', 'order-1');
    allowCrashPoints({});
    expect(crashPoint('effect', 'order-1')).toBeUndefined();
    expect(readdirSync(directory)).toEqual([crashFile('effect', 'order-1')]);
  });

  it.each([{ AUTH_MODE: 'jwt' }, { NODE_ENV: 'production' }])('is refused at the start with %j', (real) => {
    expect(() => allowCrashPoints({ CRASH_DIR: directory, ...real })).toThrow('for tests only');
    arm('effect', 'order-1');
    expect(crashPoint('effect', 'order-1')).toBeUndefined();
  });

  it('kills the process of the order that it is armed for, once, and leaves its trace', async () => {
    arm('effect', 'order-1');
    expect(await processAt([['effect', 'order-2']])).toEqual({ signal: null, said: 'effect ' });
    expect(await processAt([['effect', 'order-1']])).toEqual({ signal: 'SIGKILL', said: '' });
    expect(await processAt([['effect', 'order-1']])).toEqual({ signal: null, said: 'effect ' });
    expect(readdirSync(directory)).toEqual([expect.stringMatching(/^effect%40order-1\.\d+$/)]);
  });

  it('lets others come to their points first when its file says how long, and does nothing meanwhile', async () => {
    arm('effect', 'order-1', '200');
    arm('call', 'order-2', '200');
    const died = await processAt([
      ['effect', 'order-1'],
      ['other', 'order-3'],
      ['call', 'order-2'],
    ]);
    expect(died).toEqual({ signal: 'SIGKILL', said: 'other ' });
    expect(readdirSync(directory)).toHaveLength(2);
  });

  it('takes any tag for a file name, and none for nothing', () => {
    expect(crashFile('POST /orders.before', '../../a key')).not.toMatch(/[/ ]/);
    allowCrashPoints({ CRASH_DIR: directory });
    expect(crashPoint('effect', undefined)).toBeUndefined();
  });
});
