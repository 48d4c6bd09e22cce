import { readFile } from 'node:fs/promises';
import { beforeAll, describe, expect, test } from '@jest/globals';
import { check, checkAll, told } from '../check.ts';
import { type Contract, readContract } from '../contract.ts';
import { diagramFile, type Element, parseDiagram } from '../diagram.ts';
import type { Finding } from '../rule.ts';
import { rules } from '../rules/all.ts';
import { brokenDiagrams } from './fixtures/all.ts';
import { cutOut, deleted, type Edit, renamed } from './edits.ts';

let good: string;
let contract: Contract;
beforeAll(async () => {
  good = await readFile(diagramFile('ticket-order'), 'utf8');
  contract = ofSaga(await readContract(), good);
});

/** Without what only the other diagrams use: they are not checked here, and would be missed. */
function ofSaga(whole: Contract, xml: string): Contract {
  const jobs = whole.jobs.filter(({ type }) => xml.includes(`type="${type}"`));
  return { ...whole, jobs, knownElements: whole.knownElements.filter((id) => xml.includes(`id="${id}"`)) };
}

const ours = rules.filter(({ id }) => id !== 'lint');

async function findingsAfter(edit: Edit, by = contract, using = rules): Promise<Finding[]> {
  return check([{ file: 'bpmn/ticket-order.bpmn', xml: await edit(good) }], by, using);
}

describe('The diagrams of this checkout', () => {
  test('agree with the contract', async () => {
    expect((await checkAll()).map(told)).toEqual([]);
  });
});

describe('When a diagram is broken, the check says so where it is:', () => {
  test.each(brokenDiagrams)('$title', async ({ rule, at, says, edit, also = [] }) => {
    const findings = await findingsAfter(edit);
    const matching = findings.filter((it) => it.rule === rule && it.element === at);
    expect(matching.map(told).join('\n') || findings.map(told)).toContain(says);
    // Words of the program that slip in where a name is missing.
    expect(findings.filter((it) => /undefined|\[object|NaN/.test(told(it)))).toEqual([]);
    expect([...new Set(findings.map((it) => it.rule))].sort()).toEqual([...new Set([rule, ...also])].sort());
  });

  test('no service works on a job', async () => {
    const workers = { ...contract.workers, 'payment-service': ['requestPayment', 'closePayment'] };
    const findings = await findingsAfter((xml) => xml, { ...contract, workers });
    expect(findings.map(({ rule, element }) => `${rule}: ${element}`)).toEqual([
      'job-served: “Cancel payment” (CancelPayment)',
      'job-served: “Cancel payment” (AbortCancelPayment)',
    ]);
  });

  test('nobody says what a step that can be undone owes', async () => {
    const duties = contract.duties.filter(({ after }) => after !== 'reserveTickets' && after !== 'requestPayment');
    const findings = await findingsAfter((xml) => xml, { ...contract, duties });
    expect(findings.map(({ rule, element }) => `${rule}: ${element}`)).toEqual([
      'undo-owed: “Reserve tickets” (ReserveTickets)',
      'undo-owed: “Request payment” (RequestPayment)',
    ]);
  });

  test('two diagrams have a step of the same id', async () => {
    const other = await renamed('ticket-order', 'refund-order')(good);
    const both = [
      { file: 'bpmn/ticket-order.bpmn', xml: good },
      { file: 'bpmn/refund-order.bpmn', xml: other },
    ];
    const [first] = (await check(both, contract)).filter(({ rule }) => rule === 'steps-apart');
    expect(first).toMatchObject({ file: 'bpmn/', element: 'The step “ReserveTickets”' });
  });

  test('a process that settles by itself listens to the abort', async () => {
    const other = await renamed('ticket-order', 'late-payment')(good);
    const findings = await check([{ file: 'bpmn/late-payment.bpmn', xml: other }], contract);
    expect(findings.filter(({ rule }) => rule === 'abort').map(told)).toEqual([
      expect.stringContaining('an abort of the order itself is kept for days'),
    ]);
  });

  test('every rule has a broken diagram of its own', () => {
    const others = ['job-served', 'undo-owed', 'steps-apart'];
    const proved = new Set([...brokenDiagrams.map(({ rule }) => rule), ...others]);
    expect(rules.map(({ id }) => id).filter((id) => !proved.has(id))).toEqual([]);
  });
});

describe('When any one element is taken out of ticket-order', () => {
  async function missed(takeOut: (id: string) => Edit, elements: Element[]): Promise<string[]> {
    const found = elements.map(async ({ id }) => ({ id, found: await findingsAfter(takeOut(id), contract, ours) }));
    return (await Promise.all(found)).flatMap((it) => (it.found.length === 0 ? it.id : []));
  }

  test('as Camunda Modeler deletes it, a rule of ours finds something, whichever it is', async () => {
    const { elements, process } = await parseDiagram('ticket-order', good);
    expect(await missed(deleted, [...elements, ...(process.artifacts ?? [])])).toEqual([]);
  });

  test('and one arrow closes the gap, a rule of ours finds something, whichever it is', async () => {
    const { nodes } = await parseDiagram('ticket-order', good);
    const between = nodes.filter(({ incoming, outgoing }) => incoming?.length === 1 && outgoing?.length === 1);
    expect(await missed(cutOut, between)).toEqual([]);
  });
});

describe('A diagram of another process', () => {
  test('is held against its own start variables', async () => {
    const other = await renamed('ticket-order', 'other')(good);
    const starts = { ...contract.starts, other: { orderId: contract.starts['ticket-order']!['orderId']! } };
    const findings = await check([{ file: 'bpmn/other.bpmn', xml: other }], { ...contract, starts });
    expect(findings.map(told).join()).toContain(
      '“Reserve tickets” (ReserveTickets) needs “items” and “paymentDeadline”',
    );
  });
});
