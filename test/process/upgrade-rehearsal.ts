/** The next version of the order process for the upgrade rehearsal, and the command that moves orders to it. */
import { readFileSync } from 'node:fs';
import { afterAll, afterEach, beforeAll } from '@jest/globals';
import { z } from 'zod';
import { jobs } from '@ticket-saga/contract/jobs';
import { diagramFile } from '../../modelling/diagram.ts';
import { migrateInstances, type Wish } from '../../modelling/migrate.ts';
import { readMapping } from '../../modelling/migrate-mapping.ts';
import type { Deployed, InstanceSource, Standing } from '../../modelling/migrate-operate.ts';
import { eventually } from '../support/eventually.ts';
import { type EngineRecord, followRecords, standing } from './engine-records.ts';
import type { Order } from './order.ts';
import type { ProcessTest } from './process-test.ts';

const process = 'ticket-order';
const patience = { withinMs: 10_000, everyMs: 100 };

/** Replaces a text that is there: an edit that no longer fits the diagram is an error, not a pass. */
function edited(xml: string, from: string | RegExp, to: string): string {
  const result = xml.replace(from, to);
  if (result === xml) throw new Error(`The rehearsal's edit does not fit the diagram any more: ${from}`);
  return result;
}

/**
 * What a process owner would do: **Request payment** is changed (a new id, Ask for payment, and a new input, the
 * customer's channel, which older orders do not have), and **Send tickets** is added after Confirm tickets.
 */
export function nextVersion(v1: string): string {
  const shapes = /<bpmndi:BPMNDiagram[\s\S]*<\/bpmndi:BPMNDiagram>/;
  const edits: [string | RegExp, string][] = [
    // Nobody looks at it.
    [shapes, ''],
    [/(id|sourceRef|targetRef|attachedToRef)="RequestPayment"/g, '$1="AskForPayment"'],
    ['name="Request payment"', 'name="Ask for payment"'],
    [
      '<zeebe:taskDefinition type="request-payment" retries="5" />',
      '$&<zeebe:ioMapping><zeebe:input source="=channel" target="channel" /></zeebe:ioMapping>',
    ],
    ['<bpmn:incoming>ConfirmTickets_CompleteOrder<', '<bpmn:incoming>SendTickets_CompleteOrder<'],
    ['sourceRef="ConfirmTickets" targetRef="CompleteOrder"', 'sourceRef="ConfirmTickets" targetRef="SendTickets"'],
    [
      '<bpmn:sequenceFlow id="ConfirmTickets_CompleteOrder"',
      `<bpmn:serviceTask id="SendTickets" name="Send tickets">
        <bpmn:extensionElements><zeebe:taskDefinition type="${newJob}" retries="5" /></bpmn:extensionElements>
        <bpmn:incoming>ConfirmTickets_CompleteOrder</bpmn:incoming>
        <bpmn:outgoing>SendTickets_CompleteOrder</bpmn:outgoing>
      </bpmn:serviceTask>
      <bpmn:sequenceFlow id="SendTickets_CompleteOrder" sourceRef="SendTickets" targetRef="CompleteOrder" />
      $&`,
    ],
  ];
  return edits.reduce((xml, [from, to]) => edited(xml, from, to), v1);
}

/** The new task's job, of which the contract of the old version knows nothing. */
export const newJob = 'send-tickets';
/** What the worker of the next version reads where the old one reads `requestPayment`. */
export const nextInput = jobs.requestPayment.input.extend({ channel: z.string().nullish() });

/** The old version is deployed before each test, and after the last one: other files play the diagram in `bpmn/`. */
export function rehearsal(saga: ProcessTest) {
  const v1 = readFileSync(diagramFile(process), 'utf8');
  let following: Awaited<ReturnType<typeof followRecords>> | undefined;
  beforeAll(async () => {
    following = await followRecords(setting('PROCESS_TEST_LOG'));
    await deploy(v1);
  });
  afterEach(() => deploy(v1));
  afterAll(() => following?.close());

  const recordsOf = <T>({ instance }: Order, what: string, probe: (seen: EngineRecord[]) => T | undefined | false) => {
    if (!following) throw new Error('The records are there in tests only');
    return following.until(what, instance, probe);
  };
  /** In the order of deployment, with the orders that were placed on each. */
  const deployed: (Deployed & { xml: string })[] = [];

  async function deploy(xml: string): Promise<void> {
    const [version] = await saga.engine.deploy(`${process}.bpmn`, Buffer.from(xml));
    if (!version) throw new Error('Nothing was deployed');
    if (deployed.at(-1)?.version !== version.version) deployed.push({ ...version, xml });
  }

  /** What Operate would say, from the engine's own records. */
  const sourceOf = (orders: readonly Order[]): InstanceSource => ({
    versions: async () => deployed.slice(-2),
    diagram: async ({ version }) => deployed.find((one) => one.version === version)?.xml ?? '',
    running: async () => {
      const standings: Standing[] = [];
      for (const order of orders) {
        const at = await recordsOf(order, 'a place', (seen) => seen.length > 0 && standing(seen));
        standings.push({ key: order.instance, at, incident: false });
      }
      return standings;
    },
    orderId: async (key) => orders.find(({ instance }) => instance === key)?.orderId,
  });

  return {
    v1,
    deployNext: (xml = nextVersion(v1)) => deploy(xml),
    /** Runs the operator's command for these orders; resolves with what it says. */
    async migrate(orders: readonly Order[], wish: Partial<Wish> = {}) {
      const said: string[] = [];
      const mapping = await readMapping(
        `${diagramFile(process).replace(/[^/]+$/, '')}migrations/${process}.rehearsal.json`,
      );
      const parts = {
        source: sourceOf(orders),
        engine: saga.engine,
        say: (line: string) => void said.push(line),
        waitMs: 200,
      };
      const ok = await migrateInstances(parts, {
        mapping,
        dryRun: false,
        leave: false,
        perSecond: 100,
        ...wish,
      }).catch((error: unknown) => {
        said.push(String(error));
        return false;
      });
      return { ok, said: said.join('\n') };
    },
    /** The key of the newest version, to call the engine without the command. */
    newest: () => deployed.at(-1)?.processDefinitionKey ?? '',
    /** Resolves when the engine has written that the order has moved. */
    moved: (order: Order) => recordsOf(order, 'the migration', hasMigrated),
    hasMoved: (order: Order) => recordsOf(order, 'records', (seen) => ({ moved: hasMigrated(seen) })),
    /** Does a job as the worker of the next version would; resolves with what it was handed. */
    async work({ instance }: Order, type: string, variables: string[]) {
      const job = await eventually(
        `a job ${type}`,
        async () => {
          const taken = await saga.engine.activateJobs({
            type,
            worker: 'next',
            most: 10,
            leaseMs: 3_600_000,
            waitMs: 500,
            variables,
          });
          return taken.find((one) => one.processInstanceKey === instance);
        },
        patience,
      );
      await saga.engine.completeJob(job.key, {});
      return job;
    },
  };
}
const hasMigrated = (seen: EngineRecord[]) => seen.some(({ intent }) => intent === 'ELEMENT_MIGRATED');

function setting(name: string): string {
  const value = globalThis.process.env[name];
  if (!value) throw new Error(`${name} is not set: run these tests with --selectProjects process`);
  return value;
}
