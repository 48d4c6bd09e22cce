/** Suspects as they are now, by id, with what the engine and the provider say of each. */
import type { Db } from '@ticket-saga/runtime/database';
import { judgeBooks, judgeOrder, judgeProcess, type ProcessCase, type Times } from './reconcile-judge.ts';
import type { OutboxRow } from '@ticket-saga/contract/reconciliation';
import { readOutbox } from '@ticket-saga/runtime/reconciliation';
import { z } from 'zod';
import type { Finding } from './reconcile-kinds.ts';
import type { ReconcileParts } from './reconcile-parts.ts';
import { type Sources, serviceNames } from './reconcile-sources.ts';
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

type Instance = Pick<RunningProcess, 'key' | 'processId'> & Partial<Pick<RunningProcess, 'age'>>;

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

/** Products whose counts are off. One statement in inventory, as of one moment: it needs no second look. */
export async function findStockMismatches(sources: Sources): Promise<Finding[]> {
  const off = await sources.stock();
  return off.map(({ productId, ...details }) => ({ kind: 'stock-off', subject: productId, orderId: null, details }));
}

/** Services whose oldest event has waited too long. */
export async function findUnsentEvents({ db, times }: ReconcileParts, sources: Sources): Promise<Finding[]> {
  const outboxes: [string, OutboxRow][] = [['orchestrator', await readOutbox(db)]];
  for (const [name, service] of Object.entries(serviceNames)) outboxes.push([name, await sources.outbox(service)]);
  return outboxes
    .filter(([, { oldestAge }]) => oldestAge >= times.overdue)
    .map(([subject, details]) => ({ kind: 'outbox-unsent', subject, orderId: null, details }));
}

/** What is wrong now with the subject of a finding. */
export async function findAgain(parts: ReconcileParts, sources: Sources, found: Finding): Promise<Finding[]> {
  const { kind, subject, orderId } = found;
  const ofSubject = (all: Finding[]) => all.filter((one) => one.subject === subject);
  switch (kind) {
    case 'provider-not-heard':
    case 'books-differ':
    case 'unknown-to-shop':
    case 'unknown-to-provider':
      return findBookMismatches(sources, [subject], parts.times);
    case 'process-for-final-order':
    case 'process-without-order': {
      const { processId } = z.object({ processId: z.string() }).parse(found.details);
      return findProcessMismatches(parts, sources, [{ key: subject, processId }]);
    }
    case 'stock-off':
      return ofSubject(await findStockMismatches(sources));
    case 'outbox-unsent':
      return ofSubject(await findUnsentEvents(parts, sources));
    default:
      return findOrderMismatches(sources, orderId === null ? [] : [orderId], parts.times);
  }
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
  for (const instance of instances) {
    const here = known.get(instance.key);
    const orderId = here?.orderId ?? (await running.orderOf(instance.key));
    cases.push({ ...instance, orderId, repairs: here?.repairs ?? false });
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
    where process_instance_key = any(${keys}::text[])
    union
    select process_instance_key, order_id::text, true from refund_order
    where process_instance_key = any(${keys}::text[])`;
  return new Map(rows.map((row) => [row.key, row]));
}
