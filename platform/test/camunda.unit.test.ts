import { existsSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, it } from '@jest/globals';
import { camundaArgs, writeConfig } from '../camunda.ts';

let home: string;
beforeEach(() => {
  home = mkdtempSync(join(tmpdir(), 'camunda-'));
});
afterEach(() => rmSync(home, { recursive: true, force: true }));

it('what Camunda leaves in its temporary directory stays below the data directory, until the next start', async () => {
  const jdk = { home: '/jdk', java: '/jdk/bin/java', major: 21 };
  const args = camundaArgs({ jdk, distribution: '/camunda', home, jvm: [], main: 'Main' });
  const temporary = args.find((arg) => arg.startsWith('-Djava.io.tmpdir='))?.split('=')[1] ?? '';
  expect(temporary.startsWith(home)).toBe(true);

  await writeConfig(home, {});
  writeFileSync(join(temporary, 'left-behind'), '');
  await writeConfig(home, {});
  expect(existsSync(temporary)).toBe(true);
  expect(existsSync(join(temporary, 'left-behind'))).toBe(false);
});
