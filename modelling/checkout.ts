/** Where things are in the checkout, the same from source (tests) and from `dist`. */
import { existsSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';

function rootAbove(directory: string): string {
  return existsSync(join(directory, 'package-lock.json')) ? directory : rootAbove(dirname(directory));
}

/** The directory with the diagrams, as a path. */
export const diagramsDirectory = join(rootAbove(dirname(fileURLToPath(import.meta.url))), 'bpmn');
