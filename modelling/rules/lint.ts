import { readFile } from 'node:fs/promises';
import { createRequire } from 'node:module';
import { join } from 'node:path';
import { Linter } from 'bpmnlint';
import NodeResolver from 'bpmnlint/lib/resolver/node-resolver.js';
import { root } from '../diagram.ts';
import type { Rule } from '../rule.ts';

const require = createRequire(import.meta.url);

export const lint: Rule = {
  id: 'lint',
  demands: 'The file keeps the rules of BPMN and of the engine’s version (.bpmnlintrc).',
  async inDiagram({ definitions, elements }) {
    const config: unknown = JSON.parse(await readFile(join(root, '.bpmnlintrc'), 'utf8'));
    const results = await new Linter({ config, resolver: new NodeResolver({ require }) }).lint(definitions);
    return Object.entries(results).flatMap(([name, reports]) =>
      reports.map(({ id, message }) => ({
        at: elements.find((element) => element.id === id) ?? (id ? `“${id}”` : 'The diagram'),
        problem: `breaks a rule of BPMN or of the engine: ${message} (${name}).`,
        remedy: 'Camunda Modeler shows the same problem in its panel “Problems”; set it right there.',
      })),
    );
  },
};
