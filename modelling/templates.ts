/**
 * Element templates of Camunda Modeler, made from the contract: a task, or an event that waits for a message, is picked
 * from a list instead of being typed. Modeler reads them from the `.camunda` directory beside the diagrams.
 */
import { readdir, readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { type BpmnErrorCode, bpmnErrors } from '@ticket-saga/contract/errors';
import { type Job, jobs } from '@ticket-saga/contract/jobs';
import { correlationVariable, messages } from '@ticket-saga/contract/messages';
import type { z } from 'zod';
import { diagramFolder } from './diagram.ts';
import { fieldsOf } from './job-fields.ts';

type Binding = { type: string; name?: string; property?: string; source?: string };
export type Template = {
  id: string;
  name: string;
  description: string;
  appliesTo: readonly string[];
  elementType?: { value: string; eventDefinition?: string };
  properties: readonly { type: 'Hidden'; value: string; binding: Binding }[];
};

/** Modeler looks for this directory beside the opened diagram and above it, and nowhere else in a checkout. */
export const templateDirectory = join(diagramFolder, '.camunda', 'element-templates');

const common = {
  $schema: 'https://unpkg.com/@camunda/zeebe-element-templates-json-schema/resources/schema.json',
  category: { id: 'ticket-saga', name: 'Ticket saga' },
  engines: { camunda: '^8.6' },
  // The fields that a template does not fill stay editable: documentation, outputs, multi-instance.
  entriesVisible: true,
};

/** All template files by name, as they must stand in `templateDirectory`. */
export function templateFiles(): Map<string, string> {
  const files = {
    'jobs.json': Object.values(jobs).map(jobTemplate),
    'messages.json': Object.values(messages).flatMap(messageTemplates),
    'errors.json': [errorTemplate],
  };
  const text = (templates: Template[]) =>
    `${JSON.stringify(
      templates.map((template) => ({ ...common, ...template })),
      null,
      2,
    )}\n`;
  return new Map(Object.entries(files).map(([name, templates]) => [name, text(templates)]));
}

/** Names of the files in the directory that differ from the contract, are missing, or are left over. */
export async function staleTemplates(directory = templateDirectory): Promise<string[]> {
  const wanted = templateFiles();
  const there = await readdir(directory).catch(() => []);
  const stale = there.filter((name) => !wanted.has(name));
  for (const [name, text] of wanted) {
    const found = await readFile(join(directory, name), 'utf8').catch(() => undefined);
    if (found !== text) stale.push(name);
  }
  return stale;
}

const asName = (words: string) => words.charAt(0).toUpperCase() + words.slice(1).replaceAll('-', ' ');

function jobTemplate(job: Job): Template {
  const sentences = [
    `Done by ${job.service}.`,
    `Needs in the process: ${variables(job.input)}; no input mapping is needed.`,
    Object.keys(job.output.shape).length > 0 ? `Gives back ${variables(job.output)}.` : 'Gives nothing back.',
    job.errors.length > 0
      ? `May end with an error, which needs a boundary event: ${job.errors.map(errorWords).join('; ')}.`
      : 'Ends with no error.',
    ...(job.undo ? [job.undo.length > 0 ? `Undoes ${job.undo.join(', ')}.` : 'Is part of the undo of an order.'] : []),
  ];
  return {
    id: `ticket-saga.job.${job.type}`,
    name: asName(job.type),
    description: sentences.join(' '),
    appliesTo: ['bpmn:Task', 'bpmn:ServiceTask'],
    elementType: { value: 'bpmn:ServiceTask' },
    properties: [
      { type: 'Hidden', value: job.type, binding: { type: 'zeebe:taskDefinition', property: 'type' } },
      { type: 'Hidden', value: String(job.tries), binding: { type: 'zeebe:taskDefinition', property: 'retries' } },
    ],
  };
}

const variables = (schema: z.ZodObject): string =>
  fieldsOf(schema)
    .map(({ name, needed, words }) => `${name} (${words}${needed ? '' : ', may be missing'})`)
    .join(', ');

const errorWords = (code: BpmnErrorCode): string => `${code} (${bpmnErrors[code].replace(/\.$/, '')})`;

type Message = (typeof messages)[keyof typeof messages];

/** A message is waited for in three places, and a template fits one kind of element only. */
const waits = [
  { id: 'catch', words: 'wait for it', element: 'bpmn:IntermediateCatchEvent', from: 'bpmn:IntermediateThrowEvent' },
  { id: 'boundary', words: 'at a task', element: 'bpmn:BoundaryEvent' },
  { id: 'start', words: 'start of an event subprocess', element: 'bpmn:StartEvent' },
];

function messageTemplates(message: Message): Template[] {
  const brought =
    fieldsOf(message.variables).length > 0 ? `Brings ${variables(message.variables)}.` : 'Brings nothing.';
  return waits.map(({ id, words, element, from }) => ({
    id: `ticket-saga.message.${message.name}.${id}`,
    name: `${asName(message.name)}: ${words}`,
    description: `The message ${message.name} for the order of this process (by ${correlationVariable}). ${brought}`,
    appliesTo: [element, ...(from ? [from] : [])],
    elementType: { value: element, eventDefinition: 'bpmn:MessageEventDefinition' },
    properties: [
      { type: 'Hidden', value: message.name, binding: { type: 'bpmn:Message#property', name: 'name' } },
      {
        type: 'Hidden',
        value: `=${correlationVariable}`,
        binding: { type: 'bpmn:Message#zeebe:subscription#property', name: 'correlationKey' },
      },
    ],
  }));
}

/**
 * Templates of Camunda 8 cannot set the error of an event (the schema knows no such binding): Modeler offers the codes
 * under "Error", from the `bpmn:error` elements of the diagram. What a template can do is what is forgotten most.
 */
const errorTemplate: Template = {
  id: 'ticket-saga.error.reason',
  name: 'Business error: keep its reason',
  description:
    'For an error boundary event: takes reasonCode and reasonMessage along, which are lost otherwise. ' +
    'Choose the error itself under "Error", "Global error reference"; each task\'s template lists the errors that it may end with.',
  appliesTo: ['bpmn:BoundaryEvent'],
  properties: ['reasonCode', 'reasonMessage'].map((name) => ({
    type: 'Hidden',
    value: name,
    binding: { type: 'zeebe:output', source: `=${name}` },
  })),
};
