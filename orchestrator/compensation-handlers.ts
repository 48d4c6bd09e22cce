/** Which boxes of our diagrams are compensation handlers: they cannot be begun anew like other steps. */
import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { diagramFolder } from './deploy.ts';

/** Element ids, over all files of `bpmn/`. */
export function readCompensationHandlers(): ReadonlySet<string> {
  const files = readdirSync(diagramFolder).filter((name) => name.endsWith('.bpmn'));
  return new Set(files.flatMap((file) => compensationHandlers(readFileSync(join(diagramFolder, file), 'utf8'))));
}

export function compensationHandlers(xml: string): string[] {
  const handlers = xml.match(/<[^<>]*\sisForCompensation="true"[^<>]*>/g) ?? [];
  return handlers.flatMap((tag) => /\sid="([^"]+)"/.exec(tag)?.[1] ?? []);
}
