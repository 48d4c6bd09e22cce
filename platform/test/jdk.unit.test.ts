import { chmod, mkdir, mkdtemp, rm, symlink, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, test } from '@jest/globals';
import { findJdk, jvmFlags, majorOf } from '../jdk.ts';

let directory: string;
beforeEach(async () => {
  directory = await mkdtemp(join(tmpdir(), 'jdk-'));
});
afterEach(() => rm(directory, { recursive: true }));

async function installJdk(name: string, version: string): Promise<string> {
  const home = join(directory, 'jvm', name);
  await mkdir(join(home, 'bin'), { recursive: true });
  await writeFile(join(home, 'release'), `JAVA_VERSION="${version}"\n`);
  await writeFile(join(home, 'bin', 'java'), '#!/bin/sh\n');
  await chmod(join(home, 'bin', 'java'), 0o755);
  return home;
}

test.each([
  ['21.0.4', 21],
  ['25', 25],
  ['1.8.0_392', 8],
  ['17.0.15+6-Debian', 17],
  ['unknown', undefined],
])('the major version of %s is %s', (version, major) => {
  expect(majorOf(version)).toBe(major);
});

test('JAVA_HOME wins over a newer JDK elsewhere', async () => {
  const mine = await installJdk('mine', '21.0.4');
  await installJdk('newer', '25.0.1');
  expect(await findJdk({ JAVA_HOME: mine }, [join(directory, 'jvm')])).toMatchObject({ home: mine, major: 21 });
});

test('a JAVA_HOME that is too old is passed over for the java in PATH', async () => {
  const old = await installJdk('old', '17.0.15');
  const inPath = await installJdk('inPath', '23.0.1');
  await mkdir(join(directory, 'bin'));
  await symlink(join(inPath, 'bin', 'java'), join(directory, 'bin', 'java'));
  expect(await findJdk({ JAVA_HOME: old, PATH: join(directory, 'bin') }, [])).toMatchObject({ home: inPath });
});

test('of the installed ones the newest is taken', async () => {
  await installJdk('a', '21.0.4');
  const newest = await installJdk('b', '25.0.1');
  await installJdk('c', '17.0.15');
  expect(await findJdk({}, [join(directory, 'jvm')])).toMatchObject({ home: newest });
});

test('without one that is new enough the error names what is there and what to install', async () => {
  const old = await installJdk('old', '17.0.15');
  await expect(findJdk({}, [join(directory, 'jvm')])).rejects.toThrow(`Java 17 (${old})`);
  await expect(findJdk({}, [])).rejects.toThrow('apt install openjdk-21-jdk-headless');
});

test('a JDK that would refuse the newer flags is not given them', () => {
  expect(jvmFlags({ major: 21 })).toEqual([]);
  expect(jvmFlags({ major: 25 })).toContain('--sun-misc-unsafe-memory-access=allow');
});
