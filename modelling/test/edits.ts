/** What people do to a diagram: in Camunda Modeler (delete, move an arrow) and in its text. */
import { createRequire } from 'node:module';
import { BpmnModdle } from 'bpmn-moddle';
import { type Element, isA } from '../diagram.ts';

const moddle = new BpmnModdle<Element>({
  zeebe: createRequire(import.meta.url)('zeebe-bpmn-moddle/resources/zeebe.json'),
});
export type Edit = (xml: string) => string | Promise<string>;

/** Replaces a text that is there exactly once: an edit that no longer fits the diagram is an error, not a pass. */
export const text =
  (from: string, to: string): Edit =>
  (xml) => {
    const parts = xml.split(from);
    if (parts.length !== 2) throw new Error(`“${from}” is there ${parts.length - 1} times`);
    return parts.join(to);
  };

/** Replaces a text in the element with that id. */
export const textIn =
  (id: string, from: string, to: string): Edit =>
  (xml) => {
    const [block] = new RegExp(`<bpmn:(\\w+) id="${id}"(?:[^>]*/>|[^>]*>[\\s\\S]*?</bpmn:\\1>)`).exec(xml) ?? [];
    if (!block?.includes(from)) throw new Error(`“${from}” is not in ${id}`);
    return xml.replace(block, () => block.replace(from, () => to));
  };

/** Takes the line out that begins so, wherever it is indented. */
export const withoutLine =
  (id: string, line: string): Edit =>
  (xml) => {
    const [found] = new RegExp(`\\n *${line.replaceAll(/[.*+?^${}()|[\]\\]/g, '\\$&')}[^\\n]*`).exec(
      xml.slice(xml.indexOf(`id="${id}"`)),
    ) ?? [''];
    return textIn(id, found, '')(xml);
  };

export const withoutMappings =
  (id: string): Edit =>
  (xml) => {
    const own = xml.slice(xml.indexOf(`id="${id}"`));
    const [mapping = ''] =
      /\n *<bpmn:extensionElements>\s*<zeebe:ioMapping>[\s\S]*?<\/zeebe:ioMapping>\s*<\/bpmn:extensionElements>/.exec(
        own,
      ) ?? [];
    return textIn(id, mapping, '')(xml);
  };

export const renamed =
  (id: string, to: string): Edit =>
  (xml) =>
    xml.replaceAll(new RegExp(`\\b${id}\\b`, 'g'), to);

export const both =
  (...edits: Edit[]): Edit =>
  (xml) =>
    edits.reduce<string | Promise<string>>(async (done, edit) => edit(await done), xml);

/** Deletes an element as Camunda Modeler does: with its arrows, events on its edge, dotted lines and shapes. */
export const deleted =
  (id: string): Edit =>
  (xml) =>
    edited(xml, id, (element, all, definitions) => remove(element, all, definitions));

/** The same; an element with one arrow in and one out leaves one arrow behind, as in Camunda Modeler. */
export const cutOut =
  (id: string): Edit =>
  (xml) =>
    edited(xml, id, (element, all, definitions) => {
      const [into, more] = all.filter((flow) => flow.targetRef === element);
      const [out, others] = all.filter((flow) => flow.sourceRef === element);
      if (into && !more && out?.targetRef && !others) aim(into, out.targetRef);
      remove(element, all, definitions);
    });

/** Drags the head of an arrow to another element. */
export const redirected =
  (id: string, to: string): Edit =>
  (xml) =>
    edited(xml, id, (flow, all) => {
      const target = all.find((element) => element.id === to);
      if (target) aim(flow, target);
    });

async function edited(xml: string, id: string, act: (element: Element, all: Element[], definitions: Element) => void) {
  const { rootElement: definitions } = await moddle.fromXML(xml);
  const all = (definitions.rootElements ?? []).flatMap(within);
  const element = all.find((it) => it.id === id);
  if (!element) throw new Error(`there is no ${id}`);
  act(element, all, definitions);
  return (await moddle.toXML(definitions, { format: true })).xml;
}

const within = (scope: Element): Element[] => [
  ...(scope.flowElements ?? []).flatMap((element) => [element, ...within(element)]),
  ...(scope.artifacts ?? []),
];

function aim(flow: Element, target: Element): void {
  if (flow.targetRef?.incoming) flow.targetRef.incoming = flow.targetRef.incoming.filter((it) => it !== flow);
  flow.targetRef = target;
  target.incoming = [...(target.incoming ?? []), flow];
}

function remove(element: Element, all: Element[], definitions: Element): void {
  const isLine = isA(/SequenceFlow|Association/);
  const { sourceRef: from, targetRef: to } = element;
  if (from?.outgoing) from.outgoing = from.outgoing.filter((it) => it !== element);
  if (to?.incoming) to.incoming = to.incoming.filter((it) => it !== element);
  if (from?.default === element) delete from.default;
  for (const other of all) {
    const hangs = isLine(other) && (other.sourceRef === element || other.targetRef === element);
    if (hangs || other.attachedToRef === element || other.$parent === element) remove(other, all, definitions);
    for (const event of other.eventDefinitions ?? []) if (event.activityRef === element) delete event.activityRef;
  }
  const scope = element.$parent;
  if (scope?.flowElements) scope.flowElements = scope.flowElements.filter((it) => it !== element);
  if (scope?.artifacts) scope.artifacts = scope.artifacts.filter((it) => it !== element);
  for (const { plane } of definitions.diagrams ?? [])
    if (plane?.planeElement) plane.planeElement = plane.planeElement.filter((it) => it.bpmnElement !== element);
}
