/** Operators start the reconciliation, and read what it found. */
import type { Api } from '@ticket-saga/runtime/api';
import type { Db } from '@ticket-saga/runtime/database';
import { Problem } from '@ticket-saga/runtime/problem';
import { z } from 'zod';
import { kindNames, kinds, repairs } from './reconcile-kinds.ts';
import type { Reconciler } from './reconcile-schedule.ts';
import {
  countMismatches,
  findRun,
  type KindCount,
  type Mismatch,
  readMismatches,
  readRuns,
  type Run,
} from './reconcile-runs.ts';

export type ReconciliationRouteParts = { db: Db; reconciler: Reconciler };

const id = z.string().regex(/^\d{1,18}$/, 'must be the id of a run');
/** PostgreSQL refuses null bytes. */
const reason = z
  .string()
  .trim()
  .min(1)
  .max(500)
  .refine((text) => !text.includes('\0'), 'must not hold null bytes');
const page = z.object({
  cursor: z
    .string()
    .regex(/^\d{1,18}$/, 'must be `nextCursor` of the page before')
    .optional(),
  limit: z.coerce.number().int().min(1).max(1_000).default(100),
});
const run = z
  .object({
    id,
    state: z.enum(['RUNNING', 'DONE', 'FAILED', 'BROKEN_OFF']),
    operator: z.string(),
    reason: z.string(),
    repair: z.boolean(),
    namedKinds: z
      .array(z.enum(kindNames))
      .describe('the kinds that it repairs alone; none: all that need not be named'),
    phase: z.string(),
    counts: z
      .record(z.string(), z.int())
      .describe('what it has read; `leftForNextRun`: orders that changed within RECONCILE_SETTLE and were not judged'),
    notes: z.array(z.string()).describe('what could not be looked at, or why it failed'),
    startedAt: z.iso.datetime(),
    endedAt: z.iso.datetime().nullable(),
  })
  .meta({ id: 'Reconciliation' });
const kindName = z.enum(kindNames, { error: `must be one of ${kindNames.join(', ')}` });
const kindCount = z.object({
  kind: z.enum(kindNames),
  sentence: z.string(),
  severity: z.enum(['critical', 'serious', 'minor']),
  repair: z.string(),
  does: z.string().describe('what the repair is'),
  when: z.enum(['always', 'named']).describe('named: a run makes this repair only when its `kinds` name the kind'),
  look: z.string().optional().describe('where a person looks first'),
  found: z.int(),
  open: z.int().describe('not put right by a repair'),
});
const mismatch = z
  .object({
    kind: z.enum(kindNames),
    subject: z.string().describe('id of the order, payment, product or process instance, or the name of a service'),
    orderId: z.uuid().nullable(),
    details: z.record(z.string(), z.unknown()),
    repair: z.string(),
    outcome: z.string().nullable().describe('of the repair: done, not-needed, or why it failed'),
    foundAt: z.iso.datetime(),
  })
  .meta({ id: 'Mismatch' });

export function addReconciliationRoutes(api: Api, { db, reconciler }: ReconciliationRouteParts): void {
  const find = async (runId: string): Promise<Run> => {
    const found = id.safeParse(runId).success ? await findRun(db, BigInt(runId)) : undefined;
    if (!found) throw new Problem('RECONCILIATION_NOT_FOUND', `There is no reconciliation ${runId}.`);
    return found;
  };

  api.route({
    method: 'post',
    path: '/operations/reconciliation',
    summary: 'Holds orders, reservations, payments, the provider’s books and the processes against each other',
    description:
      'Answers at once; follow the run by its id. Without `repair` nothing is changed. With it all kinds are repaired ' +
      'whose repair need not be named; with `kinds` those, and no others.',
    access: 'operator',
    // Strict: a misspelt `kinds` would repair all others.
    body: z.strictObject({ repair: z.boolean().default(false), kinds: z.array(kindName).min(1).optional(), reason }),
    bodyExamples: {
      'look only': { reason: 'after the outage' },
      repair: { reason: 'after the outage', repair: true },
      'repair what must be named': { reason: 'they were told', repair: true, kinds: ['confirmed-not-paid'] },
    },
    answers: { 202: { description: 'The run has begun; `Location` names it', schema: run } },
    async handle({ body: { kinds: named = [], ...wanted }, identity }) {
      const operator = identity.kind === 'operator' ? identity.name : identity.kind;
      const begun = await reconciler.start({ operator, ...wanted, namedKinds: [...new Set(named)] });
      if (!begun) throw new Problem('RECONCILIATION_RUNNING', 'Wait for its end: one runs at a time.');
      return { status: 202, body: shownRun(begun), headers: { Location: `/operations/reconciliation/${begun.id}` } };
    },
  });

  api.route({
    method: 'get',
    path: '/operations/reconciliation',
    summary: 'The last runs, newest first',
    access: 'operator',
    query: page,
    answers: {
      200: { description: 'A page', schema: z.object({ items: z.array(run), nextCursor: z.string().nullable() }) },
    },
    async handle({ query: { cursor, limit } }) {
      const found = await readRuns(db, cursor === undefined ? undefined : BigInt(cursor), limit + 1);
      const items = found.slice(0, limit);
      return { status: 200, body: { items: items.map(shownRun), nextCursor: cursorOf(found, items) } };
    },
  });

  api.route({
    method: 'get',
    path: '/operations/reconciliation/:id',
    summary: 'One run: how far it is, and what it has found by kind',
    access: 'operator',
    params: z.object({ id: z.string() }),
    answers: { 200: { description: 'The run', schema: run.extend({ kinds: z.array(kindCount) }) } },
    async handle({ params }) {
      const found = await find(params.id);
      const counted = await countMismatches(db, found.id);
      return {
        status: 200,
        body: { ...shownRun(found), kinds: counted.map(describe) },
      };
    },
  });

  api.route({
    method: 'get',
    path: '/operations/reconciliation/:id/mismatches',
    summary: 'The mismatches of a run, in the order in which they were found',
    access: 'operator',
    params: z.object({ id: z.string() }),
    query: page,
    answers: {
      200: { description: 'A page', schema: z.object({ items: z.array(mismatch), nextCursor: z.string().nullable() }) },
    },
    async handle({ params, query: { cursor, limit } }) {
      const found = await readMismatches(db, (await find(params.id)).id, BigInt(cursor ?? 0), limit + 1);
      const items = found.slice(0, limit);
      return { status: 200, body: { items: items.map(shownMismatch), nextCursor: cursorOf(found, items) } };
    },
  });
}

const describe = (one: KindCount): z.input<typeof kindCount> => ({
  ...one,
  ...kinds[one.kind],
  ...repairs[kinds[one.kind].repair],
});

const cursorOf = <Row extends { id: bigint }>(found: Row[], items: Row[]): string | null =>
  found.length > items.length ? String(items.at(-1)?.id) : null;

const shownRun = (found: Run): z.input<typeof run> => ({
  ...found,
  id: String(found.id),
  startedAt: found.startedAt.toISOString(),
  endedAt: found.endedAt?.toISOString() ?? null,
});

const shownMismatch = ({ id: _, ...found }: Mismatch): z.input<typeof mismatch> => ({
  ...found,
  foundAt: found.foundAt.toISOString(),
  repair: kinds[found.kind].repair,
});
