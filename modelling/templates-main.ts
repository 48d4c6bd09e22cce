/** `npm run templates`: writes the element templates of Camunda Modeler anew from the contract. */
import { mkdir, rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { staleTemplates, templateDirectory, templateFiles } from './templates.ts';

const stale = await staleTemplates();
const files = templateFiles();
await mkdir(templateDirectory, { recursive: true });
for (const name of stale) {
  const path = join(templateDirectory, name);
  const text = files.get(name);
  await (text === undefined ? rm(path) : writeFile(path, text));
}
const told = stale.length > 0 ? `Wrote ${stale.join(', ')}.` : 'The element templates were up to date.';
process.stdout.write(`${told} Reload Camunda Modeler (Ctrl+R) to see them.\n`);
