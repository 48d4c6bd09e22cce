/**
 * The step after the process tests: tells from the engine's records how much of each diagram in `bpmn/` they have been
 * through, prints it, draws it below `coverage/process/`, and fails when something was never passed.
 */
import { createReadStream } from 'node:fs';
import { mkdir, writeFile } from 'node:fs/promises';
import { join, relative } from 'node:path';
import { createInterface } from 'node:readline';
import { complaints, coverageOf, table, type Visits } from './coverage.ts';
import { drawCoverage } from './coverage-page.ts';
import { visitsOfDiagrams } from './coverage-records.ts';
import { diagramNames, readDiagram, root } from './diagram.ts';

const folder = join(root, 'coverage/process');

async function cover(processId: string, visitsOf: ReadonlyMap<string, Visits>) {
  const diagram = await readDiagram(processId);
  const visits = visitsOf.get(diagram.xml);
  const parts = coverageOf(diagram, visits ?? new Map());
  const drawing = join(folder, `${processId}.html`);
  await writeFile(drawing, await drawCoverage(diagram, parts));
  const missing = visits ? complaints(parts) : [`No process test deploys ${diagram.file} as it is now.`];
  return { processId, parts, missing, drawing: `drawn in ${relative(root, drawing)}` };
}

await mkdir(folder, { recursive: true });
// `test/support/process-teardown.mjs` puts the records there.
const records = createInterface({ input: createReadStream(join(folder, 'engine.log')) });
const visitsOf = await visitsOfDiagrams(records);
const processIds = (await diagramNames()).map((name) => name.replace(/\.bpmn$/, ''));
const all = await Promise.all(processIds.map((processId) => cover(processId, visitsOf)));
const missing = all.flatMap((it) => it.missing);

const lines = ['', 'What the process tests have been through', ...table(all), ...all.map(({ drawing }) => drawing)];
if (missing.length > 0) lines.push('', ...missing, 'Add a test to test/process/, or remove what no order can reach.');
process.stdout.write(`${lines.join('\n')}\n`);
process.exitCode = missing.length === 0 ? 0 : 1;
