import { execFile } from 'node:child_process';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import { beforeAll, describe, expect, test } from '@jest/globals';
import { jobs, startStep, waits } from '@ticket-saga/contract/jobs';
import { correlationVariable, messages } from '@ticket-saga/contract/messages';
import { type Element, extension, isA, readDiagram, writeDiagram } from './diagram.ts';

const root = fileURLToPath(new URL('../../', import.meta.url));
const ids = (elements: Element[]) => elements.map((element) => element.id);
const job = (type: string | undefined) => Object.values(jobs).find((declared) => declared.type === type);
const outputs = (element: Element) => extension(element, 'IoMapping')?.outputParameters ?? [];

let diagram: Awaited<ReturnType<typeof readDiagram>>;
let tasks: Element[];
const the = (type: string | RegExp) => diagram.elements.filter(isA(type));
const withEvent = (kind: string) =>
  diagram.elements.filter((element) => element.eventDefinitions?.some(isA(`${kind}EventDefinition`)));

beforeAll(async () => {
  diagram = await readDiagram('ticket-order');
  tasks = the(/Task$/);
});

describe('When the diagram ticket-order is read', () => {
  test('bpmnlint finds nothing against it, by the Camunda rules for the engine version', async () => {
    const lint = promisify(execFile)(
      process.execPath,
      ['node_modules/bpmnlint/bin/bpmnlint.js', '--max-warnings', '0', 'bpmn/ticket-order.bpmn'],
      { cwd: root },
    );
    await expect(lint).resolves.toBeDefined();
  });

  test('it is read without a warning, and written back it is the same file', async () => {
    expect(diagram.warnings).toEqual([]);
    expect(await writeDiagram(diagram.definitions)).toBe(diagram.xml);
  });

  test('the process has the name of the file', () => {
    expect(diagram.process.id).toBe('ticket-order');
  });

  test('every element is drawn', () => {
    const drawn = diagram.definitions.diagrams?.flatMap(({ plane }) => plane.planeElement.map((it) => it.bpmnElement));
    const all = [...diagram.elements, ...(diagram.process.artifacts ?? [])];
    expect(ids(drawn ?? []).sort()).toEqual(ids(all).sort());
  });

  test('every box, event and gateway says in a sentence what it does', () => {
    const silent = diagram.elements.filter(
      (element) => !isA('SequenceFlow')(element) && !element.documentation?.[0]?.text,
    );
    expect(ids(silent)).toEqual([]);
  });

  test('every path ends in an end event with a name', () => {
    const noEnd = diagram.elements.filter(
      (element) => !isA(/SequenceFlow|EndEvent|SubProcess/)(element) && !element.outgoing?.length && !isUndo(element),
    );
    expect(ids(noEnd)).toEqual([]);
    expect(ids(the('EndEvent').filter((end) => !end.name))).toEqual([]);
  });

  test('every decision names its ways out, and one of them is the default', () => {
    const decisions = the('ExclusiveGateway').filter((gateway) => (gateway.outgoing?.length ?? 0) > 1);
    expect(ids(decisions)).toEqual(['PaymentApproved', 'PaidAfterAll', 'WasCancelled']);
    for (const decision of decisions) {
      expect(decision.outgoing?.map((flow) => flow.name).sort()).toEqual(['no', 'yes']);
      expect(decision.outgoing?.filter((flow) => !flow.conditionExpression)).toEqual([decision.default]);
    }
  });
});

describe('What the engine demands of the file', () => {
  test('the way to the cancel event is the last out of the wait: the engine takes the last when two messages are there', () => {
    const ways = the('SequenceFlow').filter((flow) => flow.sourceRef?.id === 'WaitForPayment');
    expect(ways).toHaveLength(3);
    expect(ways.at(-1)?.targetRef?.id).toBe('CustomerCancelled');
  });

  test('associations come after all flow elements', () => {
    expect(diagram.xml.indexOf('<bpmn:association')).toBeGreaterThan(diagram.xml.lastIndexOf('</bpmn:sequenceFlow>'));
    expect(diagram.xml.indexOf('<bpmn:association')).toBeGreaterThan(diagram.xml.lastIndexOf('<bpmn:sequenceFlow'));
  });

  test('the abort has no compensation: one that was triggered already would be lost', () => {
    const abort = the('SubProcess').find((scope) => scope.triggeredByEvent);
    expect(
      abort?.flowElements?.some((it) => it.isForCompensation || it.eventDefinitions?.some(isA(/Compensate/))),
    ).toBe(false);
  });

  test('every timer ends with the limit that Reserve tickets set', () => {
    const timers = withEvent('Timer');
    expect(ids(timers).sort()).toEqual(['PaymentDeadline', 'RequestDeadline']);
    for (const timer of timers) expect(timer.eventDefinitions?.[0]?.timeDate?.body).toBe('=payBy');
  });
});

describe('What the contract says', () => {
  test('every task has the type and the tries of a declared job, and every declared job is used', () => {
    for (const task of tasks) {
      const definition = extension(task, 'TaskDefinition');
      expect({ task: task.id, retries: definition?.retries }).toEqual({
        task: task.id,
        retries: String(job(definition?.type)?.tries),
      });
    }
    const used = new Set(tasks.map((task) => extension(task, 'TaskDefinition')?.type));
    expect(used).toEqual(new Set(Object.values(jobs).map((declared) => declared.type)));
  });

  test('every error that a job may throw is caught at its task, and no error that it never throws', () => {
    for (const task of tasks) {
      const caught = withEvent('Error').filter((event) => event.attachedToRef === task);
      const codes = caught.flatMap((event) => event.eventDefinitions?.[0]?.errorRef?.errorCode ?? []);
      const declared: readonly string[] = job(extension(task, 'TaskDefinition')?.type)?.errors ?? [];
      const missed = declared.filter((code) => !codes.includes(code));
      const catchesAll = caught.length > codes.length;
      expect({ task: task.id, missed: catchesAll ? [] : missed }).toEqual({ task: task.id, missed: [] });
      expect(declared).toEqual(expect.arrayContaining(codes));
    }
  });

  test('an event that leads to the end of an order says why, and clears what was said before', () => {
    const endsTheOrder = [
      'TicketsNotAvailable',
      'TicketsGone',
      'OrderWasStopped',
      'RequestDeadline',
      'PaymentDeadline',
    ];
    const asked = ['CancelledDuringRequest', 'CustomerCancelled', 'PaymentAnswered', 'ClosePayment', 'AbortRequested'];
    const tells = diagram.elements.filter((it) => outputs(it).some(({ target }) => target === 'reasonCode'));
    expect(ids(tells).sort()).toEqual([...endsTheOrder, ...asked].sort());
    for (const element of tells) expect(outputs(element).map(({ target }) => target)).toContain('reasonMessage');
  });

  test('every message is declared and finds its order by the order id', () => {
    const declared = diagram.definitions.rootElements?.filter(isA('Message')) ?? [];
    expect(new Set(declared.map((it) => it.name))).toEqual(new Set(Object.values(messages).map((it) => it.name)));
    for (const message of declared)
      expect(extension(message, 'Subscription')?.correlationKey).toBe(`=${correlationVariable}`);
  });

  test('the steps that the timeline names are in the diagram', () => {
    const undone = Object.values(jobs).flatMap((declared) => declared.undo ?? []);
    const named = [startStep.elementId, ...Object.keys(waits), ...undone];
    expect(ids(diagram.elements)).toEqual(expect.arrayContaining(named));
  });
});

function isUndo(element: Element): boolean {
  return element.isForCompensation === true || (element.eventDefinitions?.some(isA(/Compensate/)) ?? false);
}
