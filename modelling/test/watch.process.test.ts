import { randomUUID } from 'node:crypto';
import { mkdtemp, readFile, rename, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, jest, test } from '@jest/globals';
import { createEngine, type Engine } from '@ticket-saga/runtime/engine';
import { eventually } from '../../test/support/eventually.ts';
import { diagramFile } from '../diagram.ts';
import { watchDiagrams } from '../watch.ts';

jest.setTimeout(30_000);

let engine: Engine;
let directory: string;

beforeAll(async () => {
  engine = createEngine(process.env['PROCESS_TEST_ENGINE'] ?? '');
  directory = await mkdtemp(join(tmpdir(), 'ticket-saga-model-'));
});

afterAll(async () => {
  await engine.close();
  await rm(directory, { recursive: true });
});

test('what is saved is live in the engine, and the lines say which version it is', async () => {
  const processId = `walk-${randomUUID()}`;
  const first = (await readFile(diagramFile('ticket-order'), 'utf8')).replaceAll('"ticket-order"', `"${processId}"`);
  const file = join(directory, 'walk.bpmn');
  const lines: string[] = [];
  const said = (pattern: RegExp) => eventually(String(pattern), () => lines.some((line) => pattern.test(line)));
  await writeFile(file, first);

  const watching = watchDiagrams({
    directory,
    engineAddress: 'the engine',
    check: async () => [],
    deploy: engine.deploy,
    say: (line) => void lines.push(line),
    verbose: false,
    draft: false,
  });
  try {
    await watching.started;
    expect(lines).toEqual([expect.stringMatching(/^\d\d:\d\d:\d\d walk\.bpmn → version 1, live$/)]);

    await writeFile(file, first);
    await said(/walk\.bpmn unchanged \(version 1\)$/);

    const temporary = join(directory, '.walk.bpmn.swp');
    await writeFile(temporary, first.replace('name="Close order"', 'name="Close the order"'));
    await rename(temporary, file);
    await said(/walk\.bpmn → version 2, live$/);
    expect((await engine.startProcess(processId, { orderId: randomUUID() })).version).toBe(2);

    await writeFile(
      file,
      first.replace('<bpmn:timeDate xsi:type="bpmn:tFormalExpression">=payBy<', '<bpmn:timeDate>=payBy +<'),
    );
    await said(/walk\.bpmn is refused by the engine: .+/);
    await writeFile(file, first);
    await said(/walk\.bpmn → version 3, live$/);
  } finally {
    await watching.stop();
  }
});
