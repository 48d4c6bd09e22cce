/** Entry point of `npm run model`. */
import { parseArgs } from 'node:util';
import { readConfigOrExit } from '@ticket-saga/runtime/config';
import { createEngine } from '@ticket-saga/runtime/engine';
import { checkFile } from './check.ts';
import { diagramFolder } from './diagram.ts';
import { argumentsOrExit, placesOf, playSettings } from './job-settings.ts';
import { watchDiagrams } from './watch.ts';

const help = `Watches bpmn/: what is saved and passes the check goes live in the engine, at once and for every new order.
  -v, --verbose  all problems of a diagram, not only the first
  --draft        what has problems goes live too: to walk an order through a step that has no worker yet (npm run job)
`;
const { values } = argumentsOrExit(
  () =>
    parseArgs({
      options: {
        verbose: { type: 'boolean', short: 'v', default: false },
        draft: { type: 'boolean', default: false },
        help: { type: 'boolean', short: 'h', default: false },
      },
    }),
  help,
);
if (values.help) {
  process.stdout.write(help);
  process.exit(0);
}
const { engine: engineAddress } = placesOf(readConfigOrExit(playSettings));
const engine = createEngine(engineAddress);
const say = (line: string) => void process.stdout.write(`${line}\n`);

say(
  `Watching ${diagramFolder}; what ${values.draft ? 'is saved, with problems or not,' : 'passes the check'} goes live in the engine at ${engineAddress}. Ctrl-C ends.`,
);
const watching = watchDiagrams({
  directory: diagramFolder,
  engineAddress,
  check: checkFile,
  deploy: engine.deploy,
  say,
  verbose: values.verbose,
  draft: values.draft,
});

const end = new Promise<void>((resolve) => {
  for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP'] as const) process.once(signal, () => resolve());
});
await end;
// A deployment under way may wait ten seconds for an engine that is away: whoever ends this does not.
const patience = setTimeout(() => process.exit(0), 1_000);
await watching.stop();
await engine.close();
clearTimeout(patience);
process.exit(0);
