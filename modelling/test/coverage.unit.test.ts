import { beforeAll, describe, expect, test } from '@jest/globals';
import { complaints, coverageOf, everyKind, table, tally } from '../coverage.ts';
import { drawCoverage } from '../coverage-page.ts';
import { visitsOfDiagrams } from '../coverage-records.ts';
import { type Diagram, parseDiagram, readDiagram } from '../diagram.ts';

let diagram: Diagram;
beforeAll(async () => {
  diagram = await readDiagram('ticket-order');
});

const once = (ids: string[]) => new Map(ids.map((id) => [id, 1]));
const allBut = (...missed: string[]) => once(diagram.elements.map(({ id }) => id).filter((id) => !missed.includes(id)));

describe('When every part of a diagram was passed', () => {
  test('there is nothing to say', () => {
    expect(complaints(coverageOf(diagram, allBut()))).toEqual([]);
  });

  test('every flow, box, event and gateway is among its parts', () => {
    expect(coverageOf(diagram, allBut())).toHaveLength(diagram.elements.length);
  });
});

describe('When a part was never passed, a sentence names it as the diagram does:', () => {
  test.each([
    ['PaymentApproved_Undo', 'takes the flow “no” from “Payment approved?” to Undo (PaymentApproved_Undo)'],
    ['ReleaseTickets', 'completes the service task “Release tickets” (ReleaseTickets)'],
    ['TicketsGone', 'passes the boundary event “Hold ended, tickets gone” at “Confirm tickets” (TicketsGone)'],
    ['UndoReservation', 'passes the intermediate throw event “Undo reservation” (UndoReservation)'],
    ['Undo', 'passes the exclusive gateway (Undo)'],
    ['Abort', 'completes the sub process “Abort by an operator” (Abort)'],
  ])('%s', (id, sentence) => {
    const parts = coverageOf(diagram, allBut(id));
    expect(complaints(parts)).toEqual([`No process test ${sentence}.`]);
  });

  test('a flow out of an event gateway, of which the engine says nothing, counts as often as its event', () => {
    const parts = coverageOf(diagram, new Map([['PaymentAnswered', 3]]));
    const visits = Object.fromEntries(parts.map((part) => [part.id, part.visits]));
    expect(visits).toMatchObject({ WaitForPayment_PaymentAnswered: 3, WaitForPayment_PaymentDeadline: 0 });
  });

  test('a flow that is new in the diagram is missing, though the tests are the same', async () => {
    const flow = '<bpmn:sequenceFlow id="Undo_CloseOrder" sourceRef="Undo" targetRef="CloseOrder" />';
    const xml = diagram.xml.replace('<bpmn:association', `${flow}<bpmn:association`);
    const parts = coverageOf(await parseDiagram('changed.bpmn', xml), allBut());
    expect(complaints(parts)).toEqual(['No process test takes the flow from Undo to “Close order” (Undo_CloseOrder).']);
  });
});

test('The figures stand below their headings, and count each part once', () => {
  const parts = coverageOf(diagram, allBut('Undo', 'TicketsGone'));
  const figures = everyKind.map((kind) => tally(parts, kind));
  expect(figures.reduce((sum, { total }) => sum + total, 0)).toBe(diagram.elements.length);
  const [headings, line, ...more] = table([{ processId: 'ticket-order', parts }]);
  expect(more).toEqual([]);
  const { covered, total } = tally(parts, 'boundary events');
  expect(covered).toBe(total - 1);
  expect(line?.indexOf(`${covered} of ${total}`)).toBe(headings?.indexOf('boundary events'));
});

test('The drawing is one file that asks nothing of the network, with the numbers in it', async () => {
  const page = await drawCoverage(diagram, coverageOf(diagram, once(['ReserveTickets'])));
  expect(page).not.toMatch(/<(script|link|img|iframe)[^>]* (src|href)=|@import/);
  expect(page).toContain('"id":"ReserveTickets","kind":"activities","visits":1');
  expect(page).not.toContain('/* VIEWER */');
});

describe('From the records of the engine', () => {
  const text = (xml: string) => Buffer.from(xml).toString('base64');
  const line = (valueType: string, intent: string, value: object, recordType = 'EVENT') =>
    `2026 INFO log - ${JSON.stringify({ partitionId: 1, value, valueType, intent, recordType })}`;
  const deployed = (key: number, xml: string) =>
    line('PROCESS', 'CREATED', { processDefinitionKey: key, resource: text(xml) });
  const element = (key: number, elementId: string, intent = 'ELEMENT_COMPLETED', bpmnElementType = 'SERVICE_TASK') =>
    line('PROCESS_INSTANCE', intent, { processDefinitionKey: key, elementId, bpmnElementType });
  async function* log(...lines: string[]) {
    yield* ['a line of the broker', ...lines];
  }

  test('each completed box, flow and ending counts, and an interrupted box does not', async () => {
    const visits = await visitsOfDiagrams(
      log(
        deployed(1, '<a/>'),
        element(1, 'Box'),
        element(1, 'Box'),
        element(1, 'Box', 'ELEMENT_ACTIVATED'),
        element(1, 'Interrupted', 'ELEMENT_TERMINATED'),
        element(1, 'Flow', 'SEQUENCE_FLOW_TAKEN', 'SEQUENCE_FLOW'),
        element(1, 'Failed', 'ELEMENT_ACTIVATED', 'END_EVENT'),
        line('PROCESS_INSTANCE', 'ELEMENT_COMPLETED', { processDefinitionKey: 1, elementId: 'Asked' }, 'COMMAND'),
      ),
    );
    expect(Object.fromEntries(visits.get('<a/>') ?? [])).toEqual({ Box: 2, Flow: 1, Failed: 1 });
  });

  test('what another version of the same process passed does not count, and what the same text passed does', async () => {
    const lines = [deployed(1, '<a/>'), deployed(2, '<b/>'), deployed(3, '<a/>')];
    const visits = await visitsOfDiagrams(log(...lines, element(1, 'Box'), element(2, 'New'), element(3, 'Box')));
    expect(Object.fromEntries(visits.get('<a/>') ?? [])).toEqual({ Box: 2 });
    expect(Object.fromEntries(visits.get('<b/>') ?? [])).toEqual({ New: 1 });
  });
});
