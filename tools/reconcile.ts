/**
 * `npm run reconcile -- …`: has the orchestrator hold the shop's books against each other, and prints what is off. Ends
 * with 0 when nothing is (or all of it was repaired), 1 when something is, 2 when it could not run to its end.
 */
import { setTimeout as delay } from 'node:timers/promises';
import { parseArgs } from 'node:util';
import { z } from 'zod';

const usage = `Holds orders, reservations, payments, the provider's books and the processes against each other.

  npm run reconcile                     looks only, and says what could be repaired; --dry-run says the same
  npm run reconcile -- --repair         repairs all kinds that need not be named, and notes each act in the audit trail
  npm run reconcile -- --repair --kind <kind> [--kind <kind>]
                                        repairs these kinds and no others. Kinds whose repair gives money back, takes
                                        tickets from a confirmed order or touches what may not be ours must be named
  npm run reconcile -- --json           prints the result as JSON
  npm run reconcile -- --reason <text>  why, for the audit trail

It asks the orchestrator (ORCHESTRATOR_URL, or ORCHESTRATOR_PORT on this machine) as OPERATOR_USER with OPERATOR_PASSWORD,
or with SERVICE_AUTHORIZATION as its header Authorization. Exit code 0: nothing is off any more; 1: something is; 2: it
could not run.
`;

const env = process.env;
const base = env['ORCHESTRATOR_URL'] || `http://127.0.0.1:${env['ORCHESTRATOR_PORT'] || 8083}`;
const login = `${env['OPERATOR_USER'] || 'techlead'}:${env['OPERATOR_PASSWORD'] || 'zup@123'}`;
const authorization = env['SERVICE_AUTHORIZATION'] || `Basic ${Buffer.from(login).toString('base64')}`;
const path = '/operations/reconciliation';
const print = (text: string) => process.stdout.write(text);
const say = (text: string) => process.stderr.write(text);

class CannotRun extends Error {}

const run = z.object({
  id: z.string(),
  state: z.string(),
  phase: z.string(),
  counts: z.record(z.string(), z.number()),
  notes: z.array(z.string()),
});
const kindCount = z.object({
  kind: z.string(),
  sentence: z.string(),
  severity: z.string(),
  repair: z.string(),
  does: z.string(),
  when: z.string(),
  look: z.string().optional(),
  found: z.number(),
  open: z.number(),
});
const wholeRun = run.extend({ kinds: z.array(kindCount) });
type WholeRun = z.infer<typeof wholeRun>;
const mismatch = z.looseObject({
  kind: z.string(),
  subject: z.string(),
  orderId: z.string().nullable(),
  outcome: z.string().nullable(),
});
type Mismatch = z.infer<typeof mismatch>;
const problem = z.object({ code: z.string(), detail: z.string().optional() });
type Wish = { repair: boolean; kinds: string[] };

async function ask<S extends z.ZodType>(where: string, schema: S, body?: object): Promise<z.output<S>> {
  const sent = body && { method: 'POST', body: JSON.stringify(body), headers: { 'content-type': 'application/json' } };
  const headers = { authorization, ...sent?.headers };
  const response = await fetch(`${base}${where}`, { ...sent, headers }).catch((cause: unknown) => {
    throw new CannotRun(`The orchestrator does not answer at ${base}. Start the shop with: npm start`, { cause });
  });
  const json: unknown = await response.json().catch(() => undefined);
  if (response.ok) return schema.parse(json);
  const why = problem.safeParse(json);
  throw new CannotRun(why.success ? `${why.data.code}: ${why.data.detail ?? ''}` : `It answers ${response.status}.`);
}

/** Follows the run to its end; on a terminal it shows where it is. */
async function follow(id: string): Promise<WholeRun> {
  for (let shown = ''; ; await delay(500)) {
    const now = await ask(`${path}/${id}`, wholeRun);
    if (process.stderr.isTTY && now.phase !== shown) say(`\r\u001b[2K${now.phase} …`);
    shown = now.phase;
    if (now.state === 'RUNNING') continue;
    if (process.stderr.isTTY) say('\r\u001b[2K');
    return now;
  }
}

async function* mismatchesOf(id: string): AsyncGenerator<Mismatch> {
  const page = z.object({ items: z.array(mismatch), nextCursor: z.string().nullable() });
  for (let cursor: string | null = '0'; cursor !== null;) {
    const { items, nextCursor }: z.infer<typeof page> = await ask(`${path}/${id}/mismatches?cursor=${cursor}`, page);
    yield* items;
    cursor = nextCursor;
  }
}

/** How many of a kind are named one by one on the screen; `--json` names all. */
const named = 20;

async function show(ended: WholeRun, wish: Wish): Promise<void> {
  const {
    orders = 0,
    reservations = 0,
    payments = 0,
    providerPayments = 0,
    processes = 0,
    leftForNextRun = 0,
  } = ended.counts;
  print(
    `${orders} orders, ${reservations} reservations, ${payments} payments, ${providerPayments} at the provider, ${processes} running processes\n`,
  );
  if (leftForNextRun > 0) print(`Orders that changed just now, left for the next run: ${leftForNextRun}\n`);
  for (const note of ended.notes) print(`note: ${note}\n`);
  if (ended.kinds.length === 0) return void print('Nothing is off.\n');
  if (!wish.repair) print('A dry run: nothing was changed.\n');
  const byKind = new Map<string, Mismatch[]>();
  for await (const one of mismatchesOf(ended.id)) {
    const ofKind = byKind.get(one.kind) ?? [];
    if (ofKind.length < named) byKind.set(one.kind, [...ofKind, one]);
  }
  for (const one of ended.kinds) {
    const { kind, sentence, severity, look, found, open } = one;
    print(`\n${kind} (${severity}): ${found}${open < found ? `, ${open} still open` : ''}\n  ${sentence}\n`);
    print(`  ${repairInWords(one, wish)}\n`);
    if (look) print(`  look first: ${look}\n`);
    for (const { subject, orderId, outcome } of byKind.get(kind) ?? [])
      print(
        `    ${subject}${orderId !== null && orderId !== subject ? ` (order ${orderId})` : ''}${outcome === null ? '' : `  ${outcome}`}\n`,
      );
    if (found > named) print(`    … and ${found - named} more: --json names all\n`);
  }
}

/** What was repaired, what would be, or how to ask for it. */
function repairInWords({ kind, does, when }: z.infer<typeof kindCount>, { repair, kinds }: Wish): string {
  const meant = kinds.length > 0 ? kinds.includes(kind) : when === 'always';
  if (meant) return `${repair ? 'repair' : '--repair would'}: ${does}`;
  const how = when === 'named' ? `--repair --kind ${kind}` : `--repair, or --repair --kind ${kind}`;
  return `repair, not asked for: ${does}. Ask with: ${how} --reason …`;
}

async function main(): Promise<number> {
  const { values } = parseArgs({
    options: {
      repair: { type: 'boolean', default: false },
      kind: { type: 'string', multiple: true, default: [] },
      'dry-run': { type: 'boolean', default: false },
      json: { type: 'boolean', default: false },
      reason: { type: 'string', default: 'by hand' },
      help: { type: 'boolean', short: 'h', default: false },
    },
  });
  if (values.help) return (print(usage), 0);
  const wish = { repair: values.repair && !values['dry-run'], kinds: values.kind };
  const begun = await ask(path, run, {
    repair: wish.repair,
    reason: values.reason,
    ...(wish.kinds.length > 0 ? { kinds: wish.kinds } : {}),
  });
  const ended = await follow(begun.id);
  if (ended.state !== 'DONE') throw new CannotRun(`The run ended ${ended.state}: ${ended.notes.join(' ')}`);
  if (values.json) {
    const mismatches: Mismatch[] = [];
    for await (const one of mismatchesOf(ended.id)) mismatches.push(one);
    print(`${JSON.stringify({ ...ended, mismatches }, null, 2)}\n`);
  } else await show(ended, wish);
  return ended.kinds.some(({ open }) => open > 0) ? 1 : 0;
}

try {
  process.exitCode = await main();
} catch (error) {
  const wrongUse = error instanceof TypeError && 'code' in error && String(error.code).startsWith('ERR_PARSE_ARGS');
  if (!(error instanceof CannotRun) && !wrongUse) throw error;
  say(wrongUse ? `${error.message}\n\n${usage}` : `${error.message}\n`);
  process.exitCode = 2;
}
