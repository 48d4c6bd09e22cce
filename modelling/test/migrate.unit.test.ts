import { readFile } from 'node:fs/promises';
import { beforeAll, describe, expect, test } from '@jest/globals';
import { type Job, jobs } from '@ticket-saga/contract/jobs';
import { z } from 'zod';
import { type Diagram, diagramFile, diagramFolder, parseDiagram } from '../diagram.ts';
import { migrateInstances } from '../migrate.ts';
import { checksum, isVersion, type Mapping, readMapping, sameIds } from '../migrate-mapping.ts';
import type { InstanceSource } from '../migrate-operate.ts';
import { planMigration } from '../migrate-plan.ts';
import { migrateAll } from '../migrate-run.ts';

let xml: string;
let v1: Diagram;
beforeAll(async () => {
  xml = await readFile(diagramFile('ticket-order'), 'utf8');
  v1 = await parseDiagram('v1', xml);
});

async function planTo(edit: (text: string) => string, elements: Mapping['elements'] = {}) {
  const edited = edit(xml);
  if (edited === xml) throw new Error('The edit does not fit the diagram');
  return planMigration(v1, await parseDiagram('v2', edited), { process: 'ticket-order', elements });
}
const rename = (from: string, to: string) => (text: string) =>
  text.replaceAll(
    new RegExp(`(id|sourceRef|targetRef|attachedToRef|activityRef|default)="${from}"`, 'g'),
    `$1="${to}"`,
  );
const replace = (from: string, to: string) => (text: string) => text.replace(from, to);

describe('Whether an instance can be migrated', () => {
  test('the same diagram takes it from everywhere, but from a step with an undo and from an undo that runs', () => {
    const plan = planMigration(v1, v1, sameIds('ticket-order'));
    const refused = v1.nodes
      .filter(({ $type }) => /Task$|Gateway$|Throw/.test($type))
      .filter(({ id }) => plan.obstacle(id));
    expect(refused.map(({ id }) => id)).toEqual(['ReserveTickets', 'UndoReservation']);
    expect(plan).toMatchObject({ problems: [], notes: [] });
  });

  test('an element that is gone must be mapped', async () => {
    const edit = rename('ConfirmTickets', 'SellTickets');
    expect((await planTo(edit)).obstacle('ConfirmTickets')).toContain('gone');
    const mapped = await planTo(edit, { ConfirmTickets: 'SellTickets' });
    expect(mapped.obstacle('ConfirmTickets')).toBeUndefined();
    expect(mapped.elements).toMatchObject({ ConfirmTickets: 'SellTickets', CompleteOrder: 'CompleteOrder' });
  });

  test('a task that became another type cannot be kept', async () => {
    const edit = (text: string) =>
      text.replace(
        /<bpmn:serviceTask id="CloseOrder"([\s\S]*?)<\/bpmn:serviceTask>/,
        '<bpmn:sendTask id="CloseOrder"$1</bpmn:sendTask>',
      );
    const plan = await planTo(edit);
    expect(plan.obstacle('CloseOrder')).toContain('a service task and would become a send task');
    expect(plan.elements).not.toHaveProperty('CloseOrder');
    expect(plan.problems).toEqual([]);
    expect((await planTo(edit, { CloseOrder: 'CloseOrder' })).problems.join()).toContain('types must be the same');
  });

  test('a message that the token waits for must be mapped with it: at its gateway, at its box', async () => {
    expect((await planTo(rename('PaymentAnswered', 'MoneyCame'))).obstacle('WaitForPayment')).toContain(
      'map PaymentAnswered to MoneyCame',
    );
    const boundary = rename('CancelledDuringRequest', 'Cancelled');
    expect((await planTo(boundary)).obstacle('RequestPayment')).toContain('map CancelledDuringRequest to Cancelled');
    expect((await planTo(boundary)).obstacle('WaitForPayment')).toBeUndefined();
    expect(
      (await planTo(boundary, { CancelledDuringRequest: 'Cancelled' })).obstacle('RequestPayment'),
    ).toBeUndefined();
  });

  test('an event that hangs at another box afterwards cannot be kept', async () => {
    const edit = replace(
      'attachedToRef="RequestPayment">\n      <bpmn:documentation>The customer',
      'attachedToRef="CancelPayment">\n      <bpmn:documentation>The customer',
    );
    expect((await planTo(edit)).obstacle('RequestPayment')).toContain('would hang at another element');
  });
});

describe('What stops a whole migration', () => {
  test('the message of the abort, which every order listens to, is not mapped', async () => {
    const plan = await planTo(rename('AbortRequested', 'StopRequested'));
    expect(plan.problems.join()).toContain('map AbortRequested to StopRequested');
  });

  test.each([
    ['renamed, though mapped', rename('ReserveTickets', 'HoldTickets'), { ReserveTickets: 'HoldTickets' }],
    [
      'without its compensation event',
      (text: string) => text.replace(/<bpmn:boundaryEvent id="ReserveTicketsUndo"[\s\S]*?<\/bpmn:boundaryEvent>/, ''),
      {},
    ],
  ])('a step with an undo is %s', async (_, edit, elements) => {
    expect((await planTo(edit, elements)).problems.join()).toContain('would lose its undo');
  });

  test('the mapping file names what is not there, or merges two events', async () => {
    const plan = planMigration(v1, v1, {
      process: 'ticket-order',
      elements: { Nowhere: 'CloseOrder', CloseOrder: 'Nobody' },
    });
    expect(plan.problems).toEqual([
      expect.stringContaining('Nowhere, which the old diagram does not have'),
      expect.stringContaining('Nobody, which the new diagram does not have'),
    ]);
    const merged = planMigration(v1, v1, {
      process: 'ticket-order',
      elements: { CustomerCancelled: 'PaymentAnswered' },
    });
    expect(merged.problems.join()).toContain('cannot be merged');
  });
});

describe('What the operator must know', () => {
  test('is told of what stays with the instances', async () => {
    const jobType = await planTo(replace('type="request-payment"', 'type="ask-payment"'));
    expect(jobType.notes.join()).toContain('keep their job request-payment');
    const message = await planTo(replace('name="payment-callback"', 'name="money-callback"'));
    expect(message.notes.join()).toContain('listen to “money-callback” from then on');
    // Mapped, it would go on listening to the old name for ever.
    expect(message.elements).not.toHaveProperty('PaymentAnswered');
    expect(message.obstacle('WaitForPayment')).toBeUndefined();
    const timer = await planTo((text) => text.replaceAll('>=payBy<', '>=payBy + duration("PT1M")<'));
    expect(timer.notes.join()).toContain('keep the time that they were given');
  });
});

describe('The mapping file', () => {
  test('of the rehearsal is one', async () => {
    const mapping = await readMapping(`${diagramFolder}/migrations/ticket-order.rehearsal.json`);
    expect(mapping.process).toBe('ticket-order');
  });

  test('names versions by number or by the beginning of the checksum', () => {
    const version = { version: 3, xml };
    for (const fits of [undefined, 3, checksum(xml).slice(0, 12)]) expect(isVersion(fits, version)).toBe(true);
    for (const not of [2, checksum('').slice(0, 12)]) expect(isVersion(not, version)).toBe(false);
  });
});

const rejected = (code: number, message: string) => Object.assign(new Error(message), { code });

describe('While instances move', () => {
  const target = { processDefinitionKey: '1', elements: {} };
  const answers: Record<string, unknown[]> = {
    busy: [rejected(9, 'a concurrent command was executed')],
    ended: [rejected(5, 'no process instance found')],
    before: [rejected(3, 'mapping instructions contain a non-existing source element id')],
    never: Array.from({ length: 4 }, () =>
      rejected(
        9,
        "9 FAILED: Command 'MIGRATE' rejected with code 'INVALID_STATE': Expected to migrate process instance '1' but it is so",
      ),
    ),
  };

  test('what passes is tried again, what is over is told apart, what stays refused has a reason', async () => {
    const left = new Map(Object.entries(answers).map(([key, errors]) => [key, [...errors]]));
    const engine = {
      migrateProcessInstance: async (key: string) => {
        const error = left.get(key)?.shift();
        if (error) throw error;
      },
    };
    const instances = ['fine', ...Object.keys(answers)];
    expect(await migrateAll({ engine, instances, target, perSecond: 1_000, waitMs: 1 })).toEqual([
      { key: 'fine', result: 'migrated' },
      { key: 'busy', result: 'migrated' },
      { key: 'ended', result: 'ended' },
      { key: 'before', result: 'before' },
      { key: 'never', result: 'failed', reason: 'it is so' },
    ]);
  });

  test('an engine that goes away stops the run, which says how far it came', async () => {
    const source: InstanceSource = {
      versions: async () => [1, 2].map((version) => ({ version, processDefinitionKey: String(version) })),
      diagram: async () => xml,
      running: async () =>
        ['first', 'second', 'third'].map((key) => ({ key, at: ['WaitForPayment'], incident: false })),
      orderId: async () => undefined,
    };
    const moved: string[] = [];
    const engine = {
      migrateProcessInstance: async (key: string) => {
        if (key === 'second') throw rejected(14, 'connection refused');
        moved.push(key);
      },
    };
    const wish = { mapping: sameIds('ticket-order'), dryRun: false, leave: false, perSecond: 1_000 };
    const say = () => undefined;
    await expect(migrateInstances({ source, engine, say }, wish)).rejects.toThrow('after 1 of 3');
    expect(moved).toEqual(['first']);
  });
});

describe('Old and new workers understand each other’s variables:', () => {
  const today = {
    orderId: '6f1c2a30-9f5b-4f0e-8a38-0d1d6f2b7c11',
    items: [{ productId: '1', quantity: 1, unitPrice: 19_900 }],
    paymentDeadline: 'PT15M',
    startBy: '2100-01-01T00:00:00.000Z',
    paymentToken: null,
    payBy: '2100-01-01T00:15:00.000Z',
    total: 19_900,
    paymentOutcome: 'APPROVED',
    reasonCode: 'PAYMENT_DECLINED',
    reasonMessage: null,
  };

  test.each(Object.entries<Job>(jobs))('%s', (_, { input }) => {
    const read = input.parse(today);
    // An old worker on a newer order, and a newer worker on an order that began before its variable was there.
    expect(input.parse({ ...today, variableOfTomorrow: { deep: true } })).toEqual(read);
    expect(input.extend({ variableOfTomorrow: z.string().nullish() }).parse(today)).toEqual(read);
  });
});
