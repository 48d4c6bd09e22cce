import { execFileSync } from 'node:child_process';
import { mkdirSync, mkdtempSync, renameSync, rmSync, utimesSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { afterEach, beforeEach, expect, it } from '@jest/globals';

const prepare = fileURLToPath(new URL('../prepare.mjs', import.meta.url));
let checkout: string;

beforeEach(() => {
  checkout = mkdtempSync(join(tmpdir(), 'prepare-'));
  mkdirSync(join(checkout, 'shop'));
  writeFileSync(join(checkout, 'shop', 'main.ts'), '');
});
afterEach(() => rmSync(checkout, { recursive: true, force: true }));

function fingerprint(): string {
  const script = `import { fingerprint } from ${JSON.stringify(prepare)}; process.stdout.write(fingerprint(${JSON.stringify(checkout)}));`;
  return execFileSync(process.execPath, ['--input-type=module', '-e', script], { encoding: 'utf8' });
}

it('what a build, a test run or a person at work leaves behind does not ask for another build', () => {
  const before = fingerprint();
  for (const directory of ['dist', 'generated', 'coverage', 'node_modules', '.data', 'test']) {
    mkdirSync(join(checkout, 'shop', directory));
    writeFileSync(join(checkout, 'shop', directory, 'out.ts'), '');
  }
  writeFileSync(join(checkout, 'shop', 'main.ts~'), '');
  expect(fingerprint()).toBe(before);
});

it('a source that was edited, added, renamed or removed asks for a build', () => {
  const seen = [fingerprint()];
  const main = join(checkout, 'shop', 'main.ts');
  const other = join(checkout, 'shop', 'other.ts');
  utimesSync(main, new Date(), new Date(0));
  seen.push(fingerprint());
  writeFileSync(other, '');
  seen.push(fingerprint());
  renameSync(other, join(checkout, 'shop', 'the-other.ts'));
  seen.push(fingerprint());
  rmSync(main);
  seen.push(fingerprint());
  expect(new Set(seen).size).toBe(5);
});
