/** What the diagrams say of their steps: which jobs there are, what a step is called, and which messages it waits for. */
import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { jobs } from '@ticket-saga/contract/jobs';
import { diagramFolder, diagramNames, type Element, eventOf, jobTypeOf, parseDiagram } from './diagram.ts';

export type Step = { id: string; name: string; type: string | undefined; messages: string[]; timer: boolean };

/** Every step of every diagram; a file that cannot be read now, because it is being drawn, has none. */
export async function readSteps(folder = diagramFolder): Promise<Step[]> {
  const steps: Step[] = [];
  for (const file of await diagramNames()) {
    const diagram = await readFile(join(folder, file), 'utf8')
      .then((xml) => parseDiagram(file, xml))
      .catch(() => undefined);
    steps.push(...(diagram?.nodes ?? []).map(stepOf));
  }
  return steps;
}

function stepOf(element: Element): Step {
  const next = element.outgoing?.flatMap(({ targetRef }) => targetRef ?? []) ?? [];
  const events = element.$type === 'bpmn:EventBasedGateway' ? next : [element];
  return {
    id: element.id,
    name: element.name ?? element.id,
    type: jobTypeOf(element),
    messages: events.flatMap((event) => (eventOf(event, 'Message') ?? event).messageRef?.name ?? []),
    timer: events.some((event) => eventOf(event, 'Timer')),
  };
}

/**
 * Job types in the order to look for a job: where the order stands, then those without a worker (the contract does not
 * know them), then the rest. Workers are disturbed least so.
 */
export function typesToTry(steps: readonly Step[], currentStep: string | undefined, more: readonly string[]): string[] {
  const known = Object.values(jobs).map(({ type }): string => type);
  const drawn = steps.flatMap(({ type }) => type ?? []);
  const current = steps.filter(({ id }) => id === currentStep).flatMap(({ type }) => type ?? []);
  const withoutWorker = drawn.filter((type) => !known.includes(type));
  return [...new Set([...current, ...more, ...withoutWorker, ...drawn, ...known])];
}
