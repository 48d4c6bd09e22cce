import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { Worker } from 'node:worker_threads';
import { z } from 'zod';
import { root } from '../diagram.ts';
import type { Rule } from '../rule.ts';

const answer = z.object({
  key: z.number(),
  reports: z.array(z.object({ rule: z.string(), id: z.string().optional(), message: z.string() })),
});
type Report = z.infer<typeof answer>['reports'][number];

/** What its words mean, where an engineer of BPMN wrote them. */
const plain: Record<string, string> = {
  'superfluous-gateway': 'decides nothing: one arrow leads in and one out.',
  global: 'is used by no event.',
  'no-gateway-join-fork': 'joins and divides at once, which is easily misread.',
  'no-implicit-split': 'is left by several arrows, and the order would go all of these ways at once.',
  'no-overlapping-elements': 'lies on top of another element.',
};

export const lint: Rule = {
  id: 'lint',
  demands: 'The file keeps the rules of BPMN and of the engine’s version (.bpmnlintrc).',
  async inDiagram({ xml, definitions, elements, flows, warnings }) {
    // Its rules fall over arrows without an end, which others have reported already.
    if (warnings.length > 0 || flows.some((flow) => !flow.sourceRef || !flow.targetRef)) return [];
    const everything = [...elements, ...(definitions.rootElements ?? [])];
    return (await bpmnlint(xml)).map(({ rule, id, message }) => ({
      at: everything.find((element) => element.id === id) ?? 'The diagram',
      problem: `${plain[rule] ?? `breaks a rule of BPMN or of the engine: ${message}.`} (${rule})`,
      remedy: 'Camunda Modeler marks the same place, in its panel “Problems”; set it right there.',
    }));
  },
};

type Waiting = { resolve: (reports: Report[]) => void; reject: (error: Error) => void };
const waiting = new Map<number, Waiting>();
let worker: Worker | undefined;
let lastKey = 0;

async function bpmnlint(xml: string): Promise<Report[]> {
  worker ??= startWorker();
  const thread = worker;
  const key = ++lastKey;
  // Only while an answer is awaited must it keep the program alive.
  thread.ref();
  return new Promise<Report[]>((resolve, reject) => {
    waiting.set(key, { resolve, reject });
    thread.postMessage({ key, xml });
  }).finally(() => {
    waiting.delete(key);
    if (waiting.size === 0) thread.unref();
  });
}

function startWorker(): Worker {
  const config: unknown = JSON.parse(readFileSync(join(root, '.bpmnlintrc'), 'utf8'));
  const thread = new Worker(join(root, 'modelling', 'rules', 'lint-worker.mjs'), { workerData: config });
  thread.on('message', (message) => {
    const { key, reports } = answer.parse(message);
    waiting.get(key)?.resolve(reports);
  });
  thread.on('error', (error) => {
    worker = undefined;
    for (const { reject } of waiting.values()) reject(error);
  });
  return thread;
}
