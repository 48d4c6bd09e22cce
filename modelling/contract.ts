/** The contract as the rules read it, and which services have a worker for its jobs. */
import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { bpmnErrors, reasons } from '@ticket-saga/contract/errors';
import { type Job, jobs, startStep, waits } from '@ticket-saga/contract/jobs';
import { correlationVariable, messages } from '@ticket-saga/contract/messages';
import * as rulesOfProcesses from '@ticket-saga/contract/processes';
import { z } from 'zod';
import { root } from './diagram.ts';

/** What the contract says of one variable. */
export type Variable = {
  required: boolean;
  nullable: boolean;
  words: string[] | undefined;
  format: string | undefined;
};
export type Variables = Record<string, Variable>;

export type Contract = Awaited<ReturnType<typeof readContract>>;

export async function readContract() {
  const declared: Record<string, Job> = jobs;
  const starts = Object.fromEntries(
    Object.entries(rulesOfProcesses.processes).map(([id, { start }]) => [id, variablesOf(start)]),
  );
  const told = Object.values(messages).map((it) => ({ name: it.name as string, variables: variablesOf(it.variables) }));
  const described = Object.entries(declared).map(([name, job]) => ({
    ...job,
    name,
    input: variablesOf(job.input),
    output: variablesOf(job.output),
  }));
  const everywhere = [
    ...Object.values(starts),
    ...told.map((it) => it.variables),
    ...described.flatMap((job) => [job.output, job.input]),
  ];
  return {
    jobs: described,
    jobOf: (type: string | undefined) => described.find((job) => job.type === type),
    typesOf: (names: readonly string[]) => described.filter((job) => names.includes(job.name)).map((job) => job.type),
    /** Job names that a service's workers.ts registers. */
    workers: await registeredWorkers(new Set(described.map((job) => job.service))),
    messages: told,
    cancelMessage: messages.cancelOrder.name as string,
    abortMessage: messages.abortOrder.name as string,
    correlationKey: `=${correlationVariable}`,
    starts,
    errors: Object.keys(bpmnErrors),
    reasons: Object.keys(reasons),
    /** Everything that the contract says of a variable of this name, wherever it is used. */
    factsOf: (name: string) => everywhere.flatMap((variables) => variables[name] ?? []),
    /** Element ids that the order's timeline knows. */
    knownElements: [startStep.elementId, ...Object.keys(waits), ...described.flatMap((job) => job.undo ?? [])],
    ...rulesOfProcesses,
    closesOf: (processId: string) => rulesOfProcesses.processes[processId]?.closes ?? [],
    /** One that the contract does not know (yet) must be. */
    isAbortable: (processId: string) => rulesOfProcesses.processes[processId]?.abortable ?? true,
    approvalsOf: (processId: string) => rulesOfProcesses.processes[processId]?.approvals ?? [],
    handsOff: rulesOfProcesses.handsOff as readonly string[],
  };
}

/** The shape of a JSON schema that is read here; `anyOf` is how a nullable one is written. */
const schemaShape = z.object({
  type: z.union([z.string(), z.array(z.string())]).optional(),
  enum: z.array(z.string()).optional(),
  format: z.string().optional(),
});
const jsonSchema = schemaShape.extend({ anyOf: z.array(schemaShape).default([]) });

function variablesOf(schema: z.ZodObject): Variables {
  const json = z
    .object({ properties: z.record(z.string(), jsonSchema).default({}), required: z.array(z.string()).default([]) })
    .parse(z.toJSONSchema(schema, { io: 'input', unrepresentable: 'any' }));
  return Object.fromEntries(
    Object.entries(json.properties).map(([name, property]) => {
      const forms = [property, ...property.anyOf];
      const variable: Variable = {
        required: json.required.includes(name),
        nullable: forms.some((form) => form.type === 'null'),
        words: forms.find((form) => form.enum)?.enum,
        format: forms.find((form) => form.format)?.format,
      };
      return [name, variable];
    }),
  );
}

/** Reads the services' workers.ts as text: importing them would start half of each service. */
async function registeredWorkers(services: ReadonlySet<string>): Promise<Record<string, string[]>> {
  const read = [...services].map(async (service) => {
    const text = await readFile(join(root, service, 'workers.ts'), 'utf8').catch(() => '');
    return [service, [...text.matchAll(/\bservice\.worker\(\s*jobs\.(\w+)/g)].map((match) => match[1] ?? '')] as const;
  });
  return Object.fromEntries(await Promise.all(read));
}
