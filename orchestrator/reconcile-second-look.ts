/** Suspects as they are now, by id, with what the engine and the provider say of each. */
import type { Db } from '@ticket-saga/runtime/database';
import { judgeBooks, judgeOrder, judgeProcess, type ProcessCase, type Times } from './reconcile-judge.ts';
import type { Finding } from './reconcile-kinds.ts';
import type { ReconcileParts } from './reconcile-parts.ts';
import type { Sources } from './reconcile-sources.ts';
import type { RunningProcess } from './running-processes.ts';

/** What is wrong with these orders. The engine is asked only about those with which something seems to be. */
export async function findOrderMismatches(sources: Sources, ids: string[], times: Times): Promise<Finding[]> {
  const doubtful = (await sources.cases(ids)).filter((it) => judgeOrder(it, times).length > 0);
  return (await sources.withProcess(doubtful)).flatMap((it) => judgeOrder(it, times));
}

export async function findBookMismatches(sources: Sources, ids: string[], times: Times): Promise<Finding[]> {
  const [ours, theirs] = [await sources.paymentsByIds(ids), await sources.providerByIds(ids)];
  return ids.flatMap((id, place) =>
    judgeBooks(
      ours.find((row) => row.id === id),
      theirs[place],
      times,
    ),
  );
}

type Instance = Pick<RunningProcess, 'key' | 'processId'>;

export async function findProcessMismatches(
  parts: ReconcileParts,
  sources: Sources,
  instances: Instance[],
): Promise<Finding[]> {
  const found: Finding[] = [];
  for (const it of await processCases(parts, sources, instances)) {
    const findings = judgeProcess(it, parts.times);
    // Operate is seconds behind the engine.
    if (findings.length > 0 && (await parts.engine.isAlive(it.key))) found.push(...findings);
  }
  return found;
}

/** The order of each instance: as it was started here, else by the instance's own variable. */
export async function processCases(
  { db, running }: ReconcileParts,
  sources: Sources,
  instances: Instance[],
): Promise<ProcessCase[]> {
  const known = await ordersOf(
    db,
    instances.map(({ key }) => key),
  );
  const cases = [];
  for (const { key, processId } of instances) {
    const here = known.get(key);
    const orderId = here?.orderId ?? (await running.orderOf(key));
    cases.push({ key, processId, orderId, repairs: here?.repairs ?? false });
  }
  const orders = await sources.ordersByIds([...new Set(cases.flatMap(({ orderId }) => orderId ?? []))]);
  return cases.map((it) => ({ ...it, order: orders.find(({ id }) => id === it.orderId) }));
}

async function ordersOf(db: Db, keys: string[]) {
  const rows = await db.$queryRaw<{ key: string; orderId: string; repairs: boolean }[]>`
    select process_instance_key as key, order_id::text as "orderId", false as repairs from started_process
    where process_instance_key = any(${keys}::text[])
    union all
    select process_instance_key, order_id::text, true from further_process
    where process_instance_key = any(${keys}::text[])`;
  return new Map(rows.map((row) => [row.key, row]));
}
