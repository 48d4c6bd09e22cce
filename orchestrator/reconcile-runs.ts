/** The runs of the reconciliation as rows: one at a time across all orchestrators, and one that died is seen as such. */
import type { Db } from '@ticket-saga/runtime/database';
import type { Finding, Kind } from './reconcile-kinds.ts';

export type RunState = 'RUNNING' | 'DONE' | 'FAILED' | 'BROKEN_OFF';
export type Run = {
  id: bigint;
  state: RunState;
  operator: string;
  reason: string;
  repair: boolean;
  /** The kinds that it repairs alone; none: all whose repair need not be named. */
  namedKinds: Kind[];
  phase: string;
  counts: Record<string, number>;
  notes: string[];
  startedAt: Date;
  endedAt: Date | null;
};
export type NewRun = Pick<Run, 'operator' | 'reason' | 'repair'> & { namedKinds?: Kind[] };
export type Mismatch = Finding & { id: bigint; foundAt: Date; outcome: string | null };
export type Suspect = 'order' | 'payment' | 'process';

/** A run whose process has said nothing for this long has died with it. */
const silence = '60 seconds';
const runsKept = 200;

/**
 * Writes the row of a new run; undefined while another runs.
 * @param everyMs only if none was started within this time
 */
export async function beginRun(db: Db, wanted: NewRun, everyMs = 0): Promise<Run | undefined> {
  const { operator, reason, repair, namedKinds = [] } = wanted;
  await db.$executeRaw`
    update reconciliation set state = 'BROKEN_OFF', ended_at = alive_at
    where state = 'RUNNING' and alive_at < now() - ${silence}::interval`;
  const [begun] = await db.$queryRaw<{ id: bigint }[]>`
    insert into reconciliation (operator, reason, repair, named_kinds)
    select ${operator}, ${reason}, ${repair}, ${namedKinds}::text[]
    where not exists (select from reconciliation where started_at > now() - ${everyMs}::float8 * interval '1 millisecond')
    on conflict do nothing returning id`;
  if (!begun) return undefined;
  await db.$executeRaw`
    delete from reconciliation where id <= (select id from reconciliation order by id desc offset ${runsKept} limit 1)`;
  return findRun(db, begun.id);
}

/** Says that the run is still at it. False when it was taken for dead meanwhile: then another may be running. */
export async function noteProgress(db: Db, { id, phase, counts, notes }: Run): Promise<boolean> {
  const noted = await db.$executeRaw`
    update reconciliation set alive_at = now(), phase = ${phase}, counts = ${JSON.stringify(counts)}::jsonb, notes = ${notes}
    where id = ${id} and state = 'RUNNING'`;
  return noted > 0;
}

export async function endRun(db: Db, run: Run, state: Exclude<RunState, 'RUNNING'>): Promise<void> {
  await noteProgress(db, run);
  await db.$executeRaw`
    with suspects as (delete from reconciliation_suspect where run_id = ${run.id})
    update reconciliation set state = ${state}, ended_at = now() where id = ${run.id} and state = 'RUNNING'`;
}

export async function findRun(db: Db, id: bigint): Promise<Run | undefined> {
  return (await readRuns(db, id + 1n, 1)).find((run) => run.id === id);
}

/** Newest first, those before the id `before`. */
export function readRuns(db: Db, before: bigint | undefined, limit: number): Promise<Run[]> {
  return db.$queryRaw<Run[]>`
    select id, case when state = 'RUNNING' and alive_at < now() - ${silence}::interval then 'BROKEN_OFF' else state end as state,
      operator, reason, repair, named_kinds as "namedKinds", phase, counts, notes, started_at as "startedAt", ended_at as "endedAt"
    from reconciliation where id < ${before ?? 9_223_372_036_854_775_807n} order by id desc limit ${limit}`;
}

export async function addSuspects(db: Db, { id }: Run, subject: Suspect, ids: string[]): Promise<void> {
  await db.$executeRaw`
    insert into reconciliation_suspect (run_id, subject, id) select ${id}, ${subject}, unnest(${ids}::text[])
    on conflict do nothing`;
}

/** All suspects of the run, in groups. */
export async function* suspectsOf(db: Db, { id }: Run, subject: Suspect, size: number): AsyncGenerator<string[]> {
  for (let after = ''; ;) {
    const rows = await db.$queryRaw<{ id: string }[]>`
      select id from reconciliation_suspect where run_id = ${id} and subject = ${subject} and id > ${after}
      order by id limit ${size}`;
    const last = rows.at(-1);
    if (!last) return;
    yield rows.map((row) => row.id);
    after = last.id;
  }
}

export async function addMismatches(db: Db, { id }: Run, findings: Finding[]): Promise<void> {
  if (findings.length === 0) return;
  await db.$executeRaw`
    insert into reconciliation_mismatch (run_id, kind, subject, order_id, details)
    select ${id}, f.kind, f.subject, f."orderId"::uuid, f.details
    from jsonb_to_recordset(${JSON.stringify(findings)}::jsonb) as f(kind text, subject text, "orderId" text, details jsonb)
    on conflict do nothing`;
}

/** In the order in which they were found, those after the id `after`. */
export function readMismatches(db: Db, runId: bigint, after: bigint, limit: number): Promise<Mismatch[]> {
  return db.$queryRaw<Mismatch[]>`
    select id, kind, subject, order_id::text as "orderId", details, found_at as "foundAt", outcome
    from reconciliation_mismatch where run_id = ${runId} and id > ${after} order by id limit ${limit}`;
}

export type KindCount = { kind: Kind; found: number; open: number };

/** How many mismatches of each kind; `open` are those that no repair has put right. */
export function countMismatches(db: Db, runId: bigint): Promise<KindCount[]> {
  return db.$queryRaw<KindCount[]>`
    select kind, count(*)::int as found,
      count(*) filter (where outcome is null or outcome not in ('done', 'not-needed'))::int as open
    from reconciliation_mismatch where run_id = ${runId} group by kind order by kind`;
}
