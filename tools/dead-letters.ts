/** `npm run dead-letters -- …`: what could not be handled, and the way back, over the orchestrator's HTTP API. */
import { parseArgs } from 'node:util';
import {
  type DeadLetterView,
  type LetterFilter,
  openOperations,
  OperationRefused,
  type Operations,
  operationsSettings,
} from './operations.ts';

const usage = `Dead letters: messages that could not be handled, and the way back.

  npm run dead-letters -- list [--state OPEN|REPLAYED|DISCARDED|all] [filter] [--limit N]   newest first; default: OPEN
  npm run dead-letters -- show <id>                               the letter whole, with the message in it
  npm run dead-letters -- replay <id> [--reason "…"]              sends the message once more to where it came from
  npm run dead-letters -- replay --all [filter] [--reason "…"]    all open ones that match, the oldest first
  npm run dead-letters -- discard <id> --reason "…"               decides that nothing is to be done about it

  filter: --code <code> --service <service> --topic <topic> --order <order id>

A letter is decided once. A replayed message that fails again comes back as a new letter.
Exit codes: 0 done, 1 refused or failed (also one of many), 2 wrong usage.
`;

const print = (line: string) => process.stdout.write(`${line}\n`);

class UsageError extends Error {}

const options = {
  state: { type: 'string', default: 'OPEN' },
  code: { type: 'string' },
  service: { type: 'string' },
  topic: { type: 'string' },
  order: { type: 'string' },
  limit: { type: 'string', default: '50' },
  reason: { type: 'string' },
  all: { type: 'boolean', default: false },
  help: { type: 'boolean', short: 'h', default: false },
} as const;

function readArguments() {
  try {
    return parseArgs({ allowPositionals: true, options });
  } catch (error) {
    throw new UsageError(error instanceof Error ? error.message : String(error));
  }
}

const replayReason = 'replayed from the command line';

/** Returns the exit code. */
async function run(operations: Operations): Promise<number> {
  const { positionals, values } = readArguments();
  const [command, id, ...others] = positionals;
  if (values.help || command === undefined) {
    print(usage);
    return values.help ? 0 : 2;
  }
  if (others.length > 0) throw new UsageError(`Too many words: ${others.join(' ')}`);
  const { code, service, topic, order: orderId, reason } = values;
  const filter = { code, service, topic, orderId };
  if (command === 'list') return list(operations, filter, values.state, values.limit);
  if (command === 'replay' && values.all) {
    if (id !== undefined) throw new UsageError('Give an id or --all, not both.');
    return replayAll(operations, filter, reason ?? replayReason);
  }
  if (id === undefined || !/^\d{1,18}$/.test(id))
    throw new UsageError('Give the id of a dead letter, as `list` shows it.');
  switch (command) {
    case 'show':
      print(JSON.stringify(await operations.deadLetter(id), undefined, 2));
      return 0;
    case 'replay':
      print(line(await operations.replay(id, reason ?? replayReason)));
      return 0;
    case 'discard':
      if (!reason) throw new UsageError('Say why: --reason "…"');
      print(line(await operations.discard(id, reason)));
      return 0;
    default:
      throw new UsageError(`There is no command ${command}.`);
  }
}

async function list(operations: Operations, filter: LetterFilter, state: string, limit: string): Promise<number> {
  const { items, nextCursor } = await operations.deadLetters({
    ...filter,
    limit,
    state: state === 'all' ? undefined : state,
  });
  print(row('id', 'state', 'occurred', 'service', 'topic', 'code', 'order'));
  for (const letter of items) print(line(letter));
  if (nextCursor !== null) print('… and older ones: --limit, up to 100, or a filter');
  return 0;
}

async function replayAll(operations: Operations, filter: LetterFilter, reason: string): Promise<number> {
  let cursor: string | undefined;
  let replayed = 0;
  let refused = 0;
  do {
    const answer = await operations.replayAll({ ...filter, reason, cursor });
    replayed += answer.replayed;
    refused += answer.refused.length;
    for (const { id, code, detail } of answer.refused) print(`${id.padStart(6)}  ${code}: ${detail}`);
    cursor = answer.nextCursor ?? undefined;
  } while (cursor !== undefined);
  print(`${replayed} replayed, ${refused} refused`);
  return refused === 0 ? 0 : 1;
}

const row = (id: string, state: string, at: string, service: string, topic: string, code: string, order: string) =>
  `${id.padStart(6)}  ${state.padEnd(9)}  ${at.padEnd(20)}  ${service.padEnd(17)}  ${topic.padEnd(14)}  ${code.padEnd(20)}  ${order}`;

const line = ({ id, state, occurredAt, service, topic, code, orderId }: DeadLetterView) =>
  row(id, state, `${occurredAt.slice(0, 19)}Z`, service, topic, code, orderId ?? '');

try {
  process.exitCode = await run(openOperations(operationsSettings()));
} catch (error) {
  const wrongUsage = error instanceof UsageError;
  const away = error instanceof TypeError && error.message === 'fetch failed';
  const { url } = operationsSettings();
  const sentence = error instanceof Error ? error.message : String(error);
  process.stderr.write(away ? `The orchestrator does not answer at ${url}: npm start\n` : `${sentence}\n`);
  if (wrongUsage) process.stderr.write('Help: npm run dead-letters -- --help\n');
  if (!wrongUsage && !away && !(error instanceof OperationRefused)) process.stderr.write('This is unexpected.\n');
  process.exitCode = wrongUsage ? 2 : 1;
}
