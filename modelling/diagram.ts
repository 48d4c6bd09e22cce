/** Reads a diagram of `bpmn/` the way Camunda Modeler does. */
import { readdir, readFile } from 'node:fs/promises';
import { createRequire } from 'node:module';
import { basename, dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { BpmnModdle } from 'bpmn-moddle';

/** What moddle makes of an XML element; only what is read here. References are resolved to the elements they name. */
export type Element = {
  $type: string;
  $parent?: Element;
  id: string;
  name?: string;
  documentation?: { text?: string }[];
  extensionElements?: { values?: Element[] };
  eventDefinitions?: Element[];
  flowElements?: Element[];
  artifacts?: Element[];
  rootElements?: Element[];
  diagrams?: { plane?: { planeElement?: { $type: string; bpmnElement?: Element }[] } }[];
  incoming?: Element[];
  outgoing?: Element[];
  sourceRef?: Element;
  targetRef?: Element;
  attachedToRef?: Element;
  cancelActivity?: boolean;
  isInterrupting?: boolean;
  isExecutable?: boolean;
  default?: Element;
  conditionExpression?: { body?: string };
  errorRef?: Element;
  errorCode?: string;
  messageRef?: Element;
  activityRef?: Element;
  timeDate?: { body?: string };
  timeDuration?: { body?: string };
  timeCycle?: { body?: string };
  isForCompensation?: boolean;
  triggeredByEvent?: boolean;
  type?: string;
  retries?: string;
  correlationKey?: string;
  inputParameters?: Mapping[];
  outputParameters?: Mapping[];
};
export type Mapping = { source?: string; target?: string };

export type Diagram = {
  /** The file's name for messages, as `bpmn/ticket-order.bpmn`. */
  file: string;
  xml: string;
  /** The file as the library would write it; the same as `xml` for a file that Camunda Modeler saved. */
  written: string;
  warnings: string[];
  definitions: Element;
  process: Element;
  /** All flow elements, also those in subprocesses, in the order of the file. */
  elements: Element[];
  /** The elements without the sequence flows: boxes, events, gateways. */
  nodes: Element[];
  flows: Element[];
};

const require = createRequire(import.meta.url);
const moddle = new BpmnModdle<Element>({ zeebe: require('zeebe-bpmn-moddle/resources/zeebe.json') });

const here = dirname(fileURLToPath(import.meta.url));
/** The checkout. Compiled files live in `dist/`, one folder deeper than their sources. */
export const root = join(here, basename(here) === 'dist' ? '../..' : '..');
export const diagramFolder = join(root, 'bpmn');
export const diagramFile = (processId: string) => join(diagramFolder, `${processId}.bpmn`);

/** The names of all diagram files in `bpmn/`. */
export async function diagramNames(): Promise<string[]> {
  return (await readdir(diagramFolder)).filter((name) => name.endsWith('.bpmn')).toSorted();
}

export async function readDiagram(processId: string): Promise<Diagram> {
  return parseDiagram(`bpmn/${processId}.bpmn`, await readFile(diagramFile(processId), 'utf8'));
}

/** @throws Error with a sentence for people, for a file that is no diagram */
export async function parseDiagram(file: string, xml: string): Promise<Diagram> {
  const { rootElement: definitions, warnings } = await moddle.fromXML(xml);
  const process = definitions.rootElements?.find(isA('Process'));
  if (!process) throw new Error('there is no process in it');
  const { xml: written } = await moddle.toXML(definitions, { format: true });
  const elements = within(process);
  const flows = elements.filter(isA('SequenceFlow'));
  const nodes = elements.filter((element) => !flows.includes(element));
  return {
    file,
    xml,
    written,
    warnings: warnings.map((it) => it.message),
    definitions,
    process,
    elements,
    nodes,
    flows,
  };
}

function within(scope: Element): Element[] {
  return (scope.flowElements ?? []).flatMap((element) => [element, ...within(element)]);
}

/** `isA('ServiceTask')`, `isA(/Gateway$/)`: by the name of the BPMN type. */
export const isA = (type: string | RegExp) => (element: Element) =>
  typeof type === 'string' ? element.$type === `bpmn:${type}` : type.test(element.$type);

export const isTask = isA(/Task$/);

/** The extension of that type, as `TaskDefinition` of a service task. */
export const extension = (element: Element | undefined, name: string) =>
  element?.extensionElements?.values?.find((value) => value.$type === `zeebe:${name}`);

/** The element's event definition of that kind: `Timer`, `Message`, `Error`, `Compensate` … */
export const eventOf = (element: Element, kind: string) =>
  element.eventDefinitions?.find(isA(`${kind}EventDefinition`));

export const jobTypeOf = (element: Element) => extension(element, 'TaskDefinition')?.type;
export const inputsOf = (element: Element) => extension(element, 'IoMapping')?.inputParameters ?? [];
export const outputsOf = (element: Element) => extension(element, 'IoMapping')?.outputParameters ?? [];

/** The events on the edge of a box. */
export const boundariesOf = (diagram: Diagram, task: Element) =>
  diagram.nodes.filter((node) => node.attachedToRef === task);

/** Happens at any moment; its start is not reached by an arrow. */
export const isEventSubprocess = (element: Element | undefined) => element?.triggeredByEvent === true;

/** The boundary event through which the handler's undo is reached, and the box that it undoes. */
export function compensations(diagram: Diagram): { boundary: Element; task: Element; handler: Element }[] {
  const scopes = [diagram.process, ...diagram.nodes.filter(isA('SubProcess'))];
  return scopes
    .flatMap((scope) => scope.artifacts ?? [])
    .flatMap(({ sourceRef: boundary, targetRef: handler }) =>
      boundary?.attachedToRef && handler ? [{ boundary, task: boundary.attachedToRef, handler }] : [],
    );
}

/** The undo steps that a compensation throw runs. */
export function handlersOf(diagram: Diagram, thrower: Element): Element[] {
  const compensation = eventOf(thrower, 'Compensate');
  if (!compensation || thrower.attachedToRef) return [];
  return compensations(diagram)
    .filter(({ task }) => !compensation.activityRef || compensation.activityRef === task)
    .map(({ handler }) => handler);
}
