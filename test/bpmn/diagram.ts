/** Reads a diagram of `bpmn/` the way Camunda Modeler does, for tests that compare it with the code. */
import { readFile } from 'node:fs/promises';
import { createRequire } from 'node:module';
import { BpmnModdle } from 'bpmn-moddle';

/** What moddle makes of an XML element; only what the tests read. */
export type Element = {
  $type: string;
  id: string;
  name?: string;
  documentation?: { text: string }[];
  extensionElements?: { values: Element[] };
  eventDefinitions?: Element[];
  flowElements?: Element[];
  artifacts?: Element[];
  rootElements?: Element[];
  diagrams?: { plane: { planeElement: { bpmnElement: Element }[] } }[];
  incoming?: Element[];
  outgoing?: Element[];
  sourceRef?: Element;
  targetRef?: Element;
  attachedToRef?: Element;
  default?: Element;
  conditionExpression?: { body: string };
  errorRef?: { errorCode: string };
  messageRef?: Element;
  timeDate?: { body: string };
  isForCompensation?: boolean;
  triggeredByEvent?: boolean;
  type?: string;
  retries?: string;
  correlationKey?: string;
  outputParameters?: { source: string; target: string }[];
};

const require = createRequire(import.meta.url);
const moddle = new BpmnModdle<Element>({ zeebe: require('zeebe-bpmn-moddle/resources/zeebe.json') });

export const diagramFile = (processId: string) => new URL(`../../bpmn/${processId}.bpmn`, import.meta.url);

export async function readDiagram(processId: string) {
  const xml = await readFile(diagramFile(processId), 'utf8');
  const { rootElement: definitions, warnings } = await moddle.fromXML(xml);
  const process = definitions.rootElements?.find(isA('Process'));
  if (!process) throw new Error(`${processId}.bpmn has no process`);
  return { xml, warnings, definitions, process, elements: within(process) };
}

export const writeDiagram = async (definitions: Element) => (await moddle.toXML(definitions, { format: true })).xml;

/** All flow elements in a process, also those in its subprocesses, in the order of the file. */
function within(scope: Element): Element[] {
  return (scope.flowElements ?? []).flatMap((element) => [element, ...within(element)]);
}

/** `isA('ServiceTask')`, `isA(/Gateway$/)`: by the name of the BPMN type. */
export const isA = (type: string | RegExp) => (element: Element) =>
  typeof type === 'string' ? element.$type === `bpmn:${type}` : type.test(element.$type);

/** The extension of that type, as `TaskDefinition` of a service task. */
export const extension = (element: Element | undefined, name: string) =>
  element?.extensionElements?.values.find((value) => value.$type === `zeebe:${name}`);
