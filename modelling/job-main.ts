/** Entry point of `npm run job`. */
import { parseArgs } from 'node:util';
import { readConfigOrExit } from '@ticket-saga/runtime/config';
import { createEngine } from '@ticket-saga/runtime/engine';
import { isOwnFault } from '@ticket-saga/runtime/errors';
import { complete, fail, list, message, type Play, start, throwBusinessError } from './job.ts';
import { Refused } from './job-answers.ts';
import { argumentsOrExit, placesOf, playSettings } from './job-settings.ts';

const help = `Acts for a worker that does not run, to walk an order through a diagram step by step.
  npm run job -- list <orderId>                     what waits for a worker, and what can be done with it
  npm run job -- complete <orderId> ['<json>']      the step is done; JSON is what it gives back
  npm run job -- error <orderId> <code> ['<json>']  it ends with a business error; the diagram decides what follows
  npm run job -- fail <orderId> "<sentence>"        a try failed; with --stuck the last one: an incident
  npm run job -- message <orderId> <name> ['<json>']  a message that the order waits for
  npm run job -- start <processId> ['<json>']       starts a process with an order made up for it
  --type <type>  look for this job type too (all of the contract and of bpmn/*.bpmn are looked for anyway)
  --step <id>    the step with this element id, when the order stands at several

Nothing of the step's real work is done: no ticket is held, no money moves, the order's timeline is not told.
Steps whose service runs are done by it before you can: stop that service first.
The engine cannot be asked for one order's jobs, so waiting jobs are taken type by type, first where the order
stands; those of other orders are given back at once with all their tries, and no worker loses more than a moment.
`;

const { values, positionals } = argumentsOrExit(
  () =>
    parseArgs({
      allowPositionals: true,
      options: {
        type: { type: 'string', multiple: true, default: [] },
        step: { type: 'string' },
        stuck: { type: 'boolean' },
        help: { type: 'boolean', short: 'h' },
      },
    }),
  help,
);
const [command, id, ...more] = positionals;
const options = { types: values.type, step: values.step, stuck: values.stuck };

async function run(play: Play): Promise<void> {
  if (values.help || !command || !id) throw new Refused(help);
  const word = (what: string) => {
    const given = more[0];
    if (!given) throw new Refused(`${what}\n\n${help}`);
    return given;
  };
  if (command === 'list') return list(play, id, options);
  if (command === 'complete') return complete(play, id, more[0], options);
  if (command === 'error') return throwBusinessError(play, id, word('Which error code?'), more[1], options);
  if (command === 'fail') return fail(play, id, word('Say in a sentence what failed.'), options);
  if (command === 'message') return message(play, id, word('Which message?'), more[1]);
  if (command === 'start') return void (await start(play, id, more[0]));
  throw new Refused(`There is no command "${command}".\n\n${help}`);
}

const places = placesOf(readConfigOrExit(playSettings));
const engine = createEngine(places.engine);
let exitCode = 0;
try {
  await run({ engine, places, say: (line) => process.stdout.write(`${line}\n`) });
} catch (error) {
  exitCode = values.help ? 0 : 1;
  const away = `The engine at ${places.engine} does not answer: start it with npm start.`;
  const text =
    error instanceof Refused ? error.message : isOwnFault(error) ? away : `The engine refuses: ${messageOf(error)}`;
  process.stdout.write(`${text.trimEnd()}\n`);
}
await engine.close();
// The client keeps the process alive for ten seconds when it never reached the engine.
process.exit(exitCode);

function messageOf(error: unknown): string {
  return error instanceof Error ? error.message : String(error);
}
