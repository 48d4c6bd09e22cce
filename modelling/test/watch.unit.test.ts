import { mkdtemp, rename, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, test } from '@jest/globals';
import { eventually } from '../../test/support/eventually.ts';
import { checkFile } from '../check.ts';
import { diagramFile } from '../diagram.ts';
import { type Problem, watchDiagrams, type Watching } from '../watch.ts';
import { asLines, refusalOf, stamped } from '../watch-lines.ts';

let directory: string;
let lines: string[];
let problems: Problem[];
let engineAway: boolean;
let watching: Watching | undefined;
/** An engine that makes a new version of what differs from its newest, as the real one. */
let versions: string[];

const problem = (element: string): Problem => ({ element, problem: 'has no job.', remedy: 'Pick one.' });
const save = (content: string, name = 'order.bpmn') => writeFile(join(directory, name), content);
const said = (pattern: RegExp) => eventually(String(pattern), () => lines.some((line) => pattern.test(line)));

async function start({ draft = false } = {}): Promise<void> {
  const parts = {
    directory,
    engineAddress: 'grpc://engine',
    check: async () => problems,
    deploy: async (_name: string, content: Buffer) => {
      if (engineAway) throw Object.assign(new Error('14 UNAVAILABLE'), { code: 14 });
      if (versions.at(-1) !== String(content)) versions.push(String(content));
      return [{ bpmnProcessId: 'order', version: versions.length }];
    },
    say: (line: string) => void lines.push(line),
    verbose: false,
    draft,
  };
  watching = watchDiagrams(parts);
  await watching.started;
}

beforeEach(async () => {
  directory = await mkdtemp(join(tmpdir(), 'ticket-saga-model-'));
  [lines, problems, versions, engineAway] = [[], [], [], false];
  await save('one');
});

afterEach(async () => {
  await watching?.stop();
  watching = undefined;
  await rm(directory, { recursive: true });
});

describe('While diagrams are watched', () => {
  test('each is looked at once at the start', async () => {
    await start();
    expect(lines).toEqual([expect.stringMatching(/^\d\d:\d\d:\d\d order\.bpmn → version 1, live$/)]);
  });

  test('a saved diagram goes live and its version is told', async () => {
    await start();
    await save('two');
    await said(/order\.bpmn → version 2, live/);
  });

  test('the same content saved again is told as unchanged', async () => {
    await start();
    await save('one');
    await said(/order\.bpmn unchanged \(version 1\)/);
  });

  test('an editor that writes a new file and renames it is heard, once', async () => {
    await start();
    await save('two', 'order.bpmn.tmp');
    await rename(join(directory, 'order.bpmn.tmp'), join(directory, 'order.bpmn'));
    await said(/version 2, live/);
    expect(lines).toHaveLength(2);
  });

  test('a diagram with problems is not deployed, and the first is told in one line', async () => {
    await start();
    problems = [problem('“Reserve” (Reserve)'), problem('“Pay” (Pay)')];
    await save('two');
    await said(/order\.bpmn is not deployed: “Reserve” \(Reserve\) has no job\. → Pick one\. \(and 1 more: .*-v\)$/);
    expect(versions).toEqual(['one']);
  });

  test('as a draft it is deployed with its problems, which are told all the same', async () => {
    problems = [problem('“Mail” (Mail)')];
    await start({ draft: true });
    await said(/→ version 1, live as a draft: “Mail” \(Mail\) has no job\. → Pick one\.$/);
  });

  test('without an engine it says what to do, and deploys by itself when the engine is there', async () => {
    engineAway = true;
    await start();
    await said(/cannot go live: the engine at grpc:\/\/engine does not answer\. Start it \(npm start\)/);
    engineAway = false;
    await said(/→ version 1, live/);
    expect(lines).toHaveLength(2);
  });

  test('a diagram that is removed is told, and the watch goes on', async () => {
    await start();
    await rm(join(directory, 'order.bpmn'));
    await said(/is gone; its last version stays live/);
    await save('two', 'other.bpmn');
    await said(/other\.bpmn → version 2, live/);
  });
});

test('a diagram that is checked again, as the watch does, is judged as the first time', async () => {
  const file = diagramFile('ticket-order');
  const first = await checkFile(file);
  expect(await checkFile(file)).toEqual(first);
});

describe('The lines of the watch', () => {
  test('begin with the time of day', () => {
    expect(stamped(new Date(2026, 0, 1, 4, 3, 2), 'x')).toBe('04:03:02 x');
  });

  test('show all problems on request, one in a line', () => {
    expect(asLines([{ element: 'A', problem: 'is\nbroken.', remedy: 'Mend.' }, problem('B')], true)).toBe(
      ', 2 problems:\n  A is broken. → Mend.\n  B has no job. → Pick one.',
    );
  });

  test('leave out the preamble of what the engine says', () => {
    const said = new Error(
      "3 INVALID_ARGUMENT: Command 'CREATE' rejected with code 'INVALID_ARGUMENT': Expected to deploy new resources, but encountered the following errors:\n'order.bpmn': - Element: Flow\n    - ERROR: no target",
    );
    expect(refusalOf(said, false)).toBe("'order.bpmn': - Element: Flow - ERROR: no target");
  });
});
