import { validateAllZeebe } from '@bpmn-io/element-templates-validator';
import { describe, expect, test } from '@jest/globals';
import { jobs } from '@ticket-saga/contract/jobs';
import { messages } from '@ticket-saga/contract/messages';
import { staleTemplates, templateFiles } from '../templates.ts';

type Read = {
  id: string;
  description: string;
  properties: { value: string; binding: { type: string; property?: string; name?: string } }[];
};
const read = (name: string): Read[] => JSON.parse(templateFiles().get(name) ?? '[]');
const bound = (template: Read | undefined, type: string, property?: string) =>
  template?.properties.find(({ binding }) => binding.type === type && (!property || binding.property === property))
    ?.value;

describe('The element templates of Camunda Modeler', () => {
  test('stand in bpmn/ as the contract says; after a change of contract/ run `npm run templates`', async () => {
    expect(await staleTemplates()).toEqual([]);
  });

  test('are valid by the schema of Camunda 8', () => {
    const all = [...templateFiles().keys()].flatMap(read);
    const { results } = validateAllZeebe(all);
    expect(results.filter(({ valid }) => !valid).map(({ object, errors }) => [object.id, errors])).toEqual([]);
    expect(new Set(all.map(({ id }) => id)).size).toBe(all.length);
  });

  test('offer every job of the contract, with its type and its tries', () => {
    const offered = read('jobs.json').map((template) => [
      bound(template, 'zeebe:taskDefinition', 'type'),
      bound(template, 'zeebe:taskDefinition', 'retries'),
    ]);
    expect(offered).toEqual(Object.values(jobs).map(({ type, tries }) => [type, String(tries)]));
  });

  test('say what a job reads, gives back and may end with', () => {
    const [reserve] = read('jobs.json').filter(({ id }) => id.endsWith('reserve-tickets'));
    expect(reserve?.description).toMatch(/Needs in the process: orderId \(a UUID\), items \(a list\)/);
    expect(reserve?.description).toMatch(/Gives back payBy \(a moment .*\), total \(a whole number\)/);
    for (const code of jobs.reserveTickets.errors) expect(reserve?.description).toContain(code);
  });

  test('let each message be waited for in the flow, at a task and by an event subprocess, by the order id', () => {
    const offered = read('messages.json');
    expect(offered).toHaveLength(3 * Object.keys(messages).length);
    for (const template of offered) {
      expect(template.id).toContain(bound(template, 'bpmn:Message#property'));
      expect(bound(template, 'bpmn:Message#zeebe:subscription#property')).toBe('=orderId');
    }
  });
});
