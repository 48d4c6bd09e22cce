/**
 * What the timeline knows of the processes: names of the boxes and what follows what, read from the `.bpmn` files, so
 * that a changed diagram needs no change here.
 */
import { readFile } from 'node:fs/promises';
import { basename, dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { jobs, startStep, waits } from '@ticket-saga/contract/jobs';
import { processes } from '@ticket-saga/contract/processes';
import type { Stage } from '@ticket-saga/contract/states';
import { BpmnModdle } from 'bpmn-moddle';

/** How a step was left. */
export type Exit = { by: 'completion' } | { by: 'error'; code: string } | { by: 'message'; name: string };

/** What the fold knows when it asks which way the process went. */
export type Facts = {
  /** Process variables as far as they are known; decides exclusive gateways. */
  variables: Record<string, string>;
  /** Whether the activity's effect stands, so that its compensation would run. */
  completed(elementId: string): boolean;
};

/** One diagram, or all of them: a step's id is in one diagram only (the rule `steps-apart` of the contract check). */
export type Diagram = {
  /** The process that has the element. */
  processOf(elementId: string): string | undefined;
  /** The steps of a process, by element id. */
  stepsOf(processId: string): string[];
  nameOf(elementId: string): string | undefined;
  /** The stage that the contract gives to a step; undefined for what is no step. */
  stageOf(elementId: string): Stage | undefined;
  isWait(elementId: string): boolean;
  /** Steps that may come next; more than one where the facts do not decide. */
  next(elementId: string, exit: Exit, facts: Facts): string[];
  /** True when the way from the one step to the other leads over a timer. */
  overTimer(from: string, to: string): boolean;
};

/** What moddle makes of an XML element; only what is read here. */
type Element = {
  $type: string;
  id: string;
  name?: string;
  flowElements?: Element[];
  artifacts?: Element[];
  rootElements?: Element[];
  eventDefinitions?: Element[];
  outgoing?: Element[];
  sourceRef?: Element;
  targetRef?: Element;
  attachedToRef?: Element;
  default?: Element;
  conditionExpression?: { body: string };
  messageRef?: Element;
  errorRef?: { errorCode?: string };
  activityRef?: Element;
  extensionElements?: { values: (Element & { type?: string })[] };
};

const isA = (element: Element, type: string) => element.$type === `bpmn:${type}`;
const definition = (element: Element, type: string) =>
  element.eventDefinitions?.find((one) => isA(one, `${type}EventDefinition`));
const within = (scope: Element): Element[] =>
  (scope.flowElements ?? []).flatMap((element) => [element, ...within(element)]);

/** The process that every order begins with. */
export const saga = 'ticket-order';

/** Reads all diagrams of the contract: late money and a refund go on with an order that the saga has ended. */
export async function readDiagrams(): Promise<Diagram> {
  const first = await readDiagram(saga);
  const others = Object.keys(processes).filter((id) => id !== saga);
  const all = [first, ...(await Promise.all(others.map(readDiagram)))];
  const of = (id: string) => all.find((one) => one.processOf(id) !== undefined) ?? first;
  return {
    processOf: (id) => of(id).processOf(id),
    stepsOf: (processId) => all.flatMap((one) => one.stepsOf(processId)),
    nameOf: (id) => of(id).nameOf(id),
    stageOf: (id) => of(id).stageOf(id),
    isWait: (id) => of(id).isWait(id),
    next: (id, exit, facts) => of(id).next(id, exit, facts),
    overTimer: (from, to) => of(from).overTimer(from, to),
  };
}

/** Reads `bpmn/<processId>.bpmn` of this checkout. */
export async function readDiagram(processId = saga): Promise<Diagram> {
  const here = dirname(fileURLToPath(import.meta.url));
  const service = basename(here) === 'dist' ? dirname(here) : here;
  return parseDiagram(await readFile(join(service, '..', 'bpmn', `${processId}.bpmn`), 'utf8'));
}

export async function parseDiagram(xml: string): Promise<Diagram> {
  const { rootElement } = await new BpmnModdle<Element>({}).fromXML(xml);
  const process = rootElement.rootElements?.find((element) => isA(element, 'Process'));
  if (!process) throw new Error('The diagram has no process.');
  const elements = within(process);
  const byId = new Map(elements.map((element) => [element.id, element]));
  const isWait = (id: string) => id in waits;
  const stages = stagesOf(elements);
  const isStep = (element: Element) => stages.has(element.id) || element.$type.endsWith('Task');

  const boundaries = (id: string) => elements.filter((element) => element.attachedToRef?.id === id);
  /** The activity that a compensation handler undoes. */
  const undoneBy = (handlerId: string) => {
    const link = (process.artifacts ?? []).find((artifact) => artifact.targetRef?.id === handlerId);
    return link?.sourceRef?.attachedToRef?.id;
  };
  const handlerOf = (activityId: string) => elements.find((element) => undoneBy(element.id) === activityId);
  const throwsFor = (activityId: string) =>
    elements.filter(
      (element) =>
        isA(element, 'IntermediateThrowEvent') && definition(element, 'Compensate')?.activityRef?.id === activityId,
    );

  /** Walks on from an element that was left, until the next steps. */
  const walk = (from: Element[], facts: Facts, seen = new Set<string>()): Element[] =>
    from.flatMap((element) => {
      if (seen.has(element.id)) return [];
      seen.add(element.id);
      if (isStep(element)) return [element];
      const undone = definition(element, 'Compensate')?.activityRef?.id;
      const handler = undone !== undefined && facts.completed(undone) ? handlerOf(undone) : undefined;
      return handler ? [handler] : walk(targets(openFlows(element, facts)), facts, seen);
    });

  const leave = (element: Element, exit: Exit): Element[] => {
    if (exit.by === 'error') {
      const caught = boundaries(element.id).filter((event) => definition(event, 'Error'));
      const codeOf = (event: Element) => definition(event, 'Error')?.errorRef?.errorCode;
      const specific = caught.filter((event) => codeOf(event) === exit.code);
      return specific.length > 0 ? specific : caught.filter((event) => codeOf(event) === undefined);
    }
    const after = targets(element.outgoing ?? []);
    if (exit.by === 'message')
      return after.filter((event) => definition(event, 'Message')?.messageRef?.name === exit.name);
    const undone = undoneBy(element.id);
    return undone === undefined ? after : throwsFor(undone).flatMap((event) => targets(event.outgoing ?? []));
  };

  return {
    processOf: (id) => (byId.has(id) ? process.id : undefined),
    stepsOf: (processId) => (process.id === processId ? elements.filter(isStep).map(({ id }) => id) : []),
    nameOf: (id) => byId.get(id)?.name,
    stageOf: (id) => stages.get(id),
    isWait,
    next(id, exit, facts) {
      const element = byId.get(id);
      return element ? [...new Set(walk(leave(element, exit), facts).map((step) => step.id))] : [];
    },
    overTimer(from, to) {
      const element = byId.get(from);
      const ways = element ? [...targets(element.outgoing ?? []), ...boundaries(from)] : [];
      const timers = ways.filter((event) => definition(event, 'Timer'));
      return walk(timers, { variables: {}, completed: () => true }).some((step) => step.id === to);
    },
  };
}

/** Stages by element id, as the contract has them for the element's job. */
function stagesOf(elements: Element[]): Map<string, Stage> {
  const stageOfJob = new Map<string | undefined, Stage>(Object.values(jobs).map((job) => [job.type, job.stage]));
  const tasks = elements.flatMap((element): [string, Stage][] => {
    const task = element.extensionElements?.values.find((value) => value.$type === 'zeebe:taskDefinition');
    const stage = task && stageOfJob.get(task.type);
    return stage ? [[element.id, stage]] : [];
  });
  return new Map([
    [startStep.elementId, startStep.stage],
    ...Object.entries(waits).map(([id, { stage }]): [string, Stage] => [id, stage]),
    ...tasks,
  ]);
}

const targets = (flows: Element[]): Element[] => flows.flatMap((flow) => flow.targetRef ?? []);

/** `=paymentOutcome = "APPROVED"`: the one form of condition that can be decided from here. */
const equality = /^=\s*(\w+)\s*=\s*"([^"]*)"\s*$/;

/** The flows that the token may take: all, unless an exclusive gateway's conditions are decided by known variables. */
function openFlows(element: Element, { variables }: Facts): Element[] {
  const flows = element.outgoing ?? [];
  if (!isA(element, 'ExclusiveGateway')) return flows;
  const verdict = (flow: Element): boolean | undefined => {
    const [, name = '', value] = equality.exec(flow.conditionExpression?.body ?? '') ?? [];
    return name in variables ? variables[name] === value : undefined;
  };
  const conditional = flows.filter((flow) => flow.id !== element.default?.id);
  const taken = conditional.filter((flow) => verdict(flow) === true);
  if (taken.length > 0) return taken;
  const undecided = conditional.filter((flow) => verdict(flow) === undefined);
  return [...undecided, ...flows.filter((flow) => flow.id === element.default?.id)];
}
