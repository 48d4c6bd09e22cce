import { randomUUID } from 'node:crypto';
import { readFile } from 'node:fs/promises';
import { afterAll, beforeAll, describe, expect, jest, test } from '@jest/globals';
import { createEngine, type Engine } from '@ticket-saga/runtime/engine';
import { eventually } from '../../test/support/eventually.ts';
import { diagramFile } from '../diagram.ts';
import { complete, fail, list, message, type Options, type Play, start, throwBusinessError } from '../job.ts';
import { placesOf, playSettings } from '../job-settings.ts';

jest.setTimeout(30_000);

let engine: Engine;
const nothing: Options = { types: [] };
const reservation = '{"payBy":"2100-01-01T00:00:00.000Z","total":19900}';

/** The program as a person at the keyboard has it; there is no order-service. */
function play() {
  const lines: string[] = [];
  const places = placesOf(playSettings.parse({ ORDER_URL: 'http://127.0.0.1:1' }));
  const it: Play = { engine, places, say: (line) => void lines.push(line) };
  return { it, lines };
}

/** Lists until this step is there: the engine needs a moment from one step to the next. */
async function comesTo(orderId: string, elementId: string, options = nothing): Promise<string> {
  return eventually(`a job of ${elementId}`, async () => {
    const { it, lines } = play();
    await list(it, orderId, options);
    return lines.find((line) => line.includes(`(${elementId}; job`));
  });
}

beforeAll(async () => {
  engine = createEngine(process.env['PROCESS_TEST_ENGINE'] ?? '');
  await engine.deploy('ticket-order.bpmn', await readFile(diagramFile('ticket-order')));
});

afterAll(() => engine.close());

describe('A person walks an order through the diagram, without services', () => {
  test('from the reservation to the sold tickets', async () => {
    const { it, lines } = play();
    const orderId = await start(it, 'ticket-order', undefined);
    await comesTo(orderId, 'ReserveTickets');
    await complete(it, orderId, reservation, nothing);
    await comesTo(orderId, 'RequestPayment');
    await complete(it, orderId, undefined, nothing);
    await message(it, orderId, 'payment-callback', '{"paymentOutcome":"APPROVED"}');
    await comesTo(orderId, 'ConfirmTickets');
    await complete(it, orderId, undefined, nothing);
    await comesTo(orderId, 'CompleteOrder');
    await complete(it, orderId, undefined, nothing);
    expect(lines.at(-1)).toBe('Complete order: completed.');
    await expect(list(it, orderId, nothing)).rejects.toThrow(/No step of order .* waits for a worker/);
  });

  test('a business error takes the way that the diagram draws for it, with its reason', async () => {
    const { it } = play();
    const orderId = await start(it, 'ticket-order', undefined);
    await comesTo(orderId, 'ReserveTickets');
    await throwBusinessError(it, orderId, 'SOLD_OUT', undefined, nothing);
    expect(await comesTo(orderId, 'RejectOrder')).toContain('"reasonCode":"SOLD_OUT"');
  });

  test('a failed try leaves the step with one try less', async () => {
    const { it, lines } = play();
    const orderId = await start(it, 'ticket-order', undefined);
    await comesTo(orderId, 'ReserveTickets');
    await fail(it, orderId, 'the hall is closed', nothing);
    expect(lines.at(-1)).toBe('Reserve tickets: failed, 4 tries left.');
    expect(await comesTo(orderId, 'ReserveTickets')).toContain('4 tries left');
    await fail(it, orderId, 'the hall is closed', { types: [], stuck: true });
    await expect(list(it, orderId, nothing)).rejects.toThrow(/waits for a worker/);
  });

  test('an answer that does not fit the contract leaves the step as it was', async () => {
    const { it } = play();
    const orderId = await start(it, 'ticket-order', undefined);
    await comesTo(orderId, 'ReserveTickets');
    await expect(complete(it, orderId, '{"total":"much"}', nothing)).rejects.toThrow(
      /reserve-tickets gives back payBy/,
    );
    expect(await comesTo(orderId, 'ReserveTickets')).toContain('5 tries left');
  });

  test('the steps of other orders stay as they were', async () => {
    const { it } = play();
    const [other, mine] = [await start(it, 'ticket-order', undefined), await start(it, 'ticket-order', undefined)];
    await comesTo(other, 'ReserveTickets');
    await comesTo(mine, 'ReserveTickets');
    await complete(it, mine, reservation, nothing);
    expect(await comesTo(other, 'ReserveTickets')).toContain('5 tries left');
  });

  test('a job that is neither in the contract nor in bpmn/ is found by its type, with all variables', async () => {
    const { it } = play();
    const type = `send-mail-${randomUUID()}`;
    await engine.deploy('mail.bpmn', Buffer.from(oneTask(type)));
    const orderId = await start(it, 'mail', '{"address":"a@example.org"}');
    const options = { types: [type] };
    expect(await comesTo(orderId, 'SendMail', options)).toContain('"address":"a@example.org"');
    await complete(it, orderId, '{"sent":true}', options);
    await expect(list(it, orderId, options)).rejects.toThrow(/waits for a worker/);
  });
});

const oneTask = (type: string) => `<?xml version="1.0" encoding="UTF-8"?>
<bpmn:definitions xmlns:bpmn="http://www.omg.org/spec/BPMN/20100524/MODEL" xmlns:zeebe="http://camunda.org/schema/zeebe/1.0" id="d" targetNamespace="t">
  <bpmn:process id="mail" isExecutable="true">
    <bpmn:startEvent id="Start"><bpmn:outgoing>a</bpmn:outgoing></bpmn:startEvent>
    <bpmn:sequenceFlow id="a" sourceRef="Start" targetRef="SendMail" />
    <bpmn:serviceTask id="SendMail">
      <bpmn:extensionElements><zeebe:taskDefinition type="${type}" /></bpmn:extensionElements>
      <bpmn:incoming>a</bpmn:incoming>
    </bpmn:serviceTask>
  </bpmn:process>
</bpmn:definitions>`;
