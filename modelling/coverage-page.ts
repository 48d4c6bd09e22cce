/** Draws the coverage on the diagram: one HTML file that needs neither network nor server, only a browser to look at it. */
import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { everyKind, type Part, tally } from './coverage.ts';
import { type Diagram, root } from './diagram.ts';

const library = join(root, 'node_modules/bpmn-js/dist');

export async function drawCoverage({ xml, process, file }: Diagram, parts: readonly Part[]): Promise<string> {
  const [page, viewer, style] = await Promise.all(
    [
      join(root, 'modelling/coverage-page.html'),
      join(library, 'bpmn-navigated-viewer.production.min.js'),
      join(library, 'assets/diagram-js.css'),
    ].map((path) => readFile(path, 'utf8')),
  );
  const title = process.name ?? process.id;
  const figures = everyKind.map((kind) => ({ kind, ...tally(parts, kind) }));
  return (page ?? '')
    .replace('/* STYLE OF THE VIEWER */', () => style ?? '')
    .replace('/* VIEWER */', () => viewer ?? '')
    .replace('/* COVERAGE */ {}', () => inScript({ title, file, xml, figures, parts }));
}

/** JSON that cannot end the script element it stands in. */
const inScript = (data: object): string => JSON.stringify(data).replaceAll('<', '\\u003c');
