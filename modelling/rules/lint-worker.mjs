// Runs bpmnlint in a thread of its own, for lint.ts: the module system of the tests cannot load it (CommonJS that
// requires ES modules), and a thread has Node's. Plain JavaScript, because it is run from here in every case.
import { createRequire } from 'node:module';
import { parentPort, workerData } from 'node:worker_threads';
import { BpmnModdle } from 'bpmn-moddle';

const require = createRequire(import.meta.url);
const { Linter } = require('bpmnlint');
const NodeResolver = require('bpmnlint/lib/resolver/node-resolver.js');
const moddle = new BpmnModdle({ zeebe: require('zeebe-bpmn-moddle/resources/zeebe.json') });

parentPort.on('message', async ({ key, xml }) => {
  const { rootElement } = await moddle.fromXML(xml);
  // A new one for each diagram: its rules remember what they have seen, and would call it a duplicate the next time.
  const linter = new Linter({ config: workerData, resolver: new NodeResolver({ require }) });
  const results = await linter.lint(rootElement);
  const reports = Object.entries(results).flatMap(([rule, found]) =>
    found.map(({ id, message }) => ({ rule, id, message })),
  );
  parentPort.postMessage({ key, reports });
});
