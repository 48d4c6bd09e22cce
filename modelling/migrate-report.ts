/** What the operator reads: what can be migrated and what cannot, and what became of it. */
import type { Diagram } from './diagram.ts';
import type { Standing } from './migrate-operate.ts';
import { nameOf } from './migrate-places.ts';
import type { Plan } from './migrate-plan.ts';
import type { Outcome } from './migrate-run.ts';

/** An instance that cannot be migrated, and why. */
export type Left = { key: string; at: string[]; reason: string };

/** Divides the instances by what the plan says of the places where they stand. */
export function sortOut(old: Diagram, plan: Plan, instances: readonly Standing[]) {
  const left: Left[] = [];
  const movable: Standing[] = [];
  for (const instance of instances) {
    const reasons = instance.at.flatMap((id) => plan.obstacle(id) ?? []);
    const [reason] = reasons;
    if (reason) left.push({ key: instance.key, at: names(old, instance.at), reason });
    else movable.push(instance);
  }
  return { movable, left };
}

const names = (diagram: Diagram, at: readonly string[]) =>
  at.map((id) => diagram.nodes.find((node) => node.id === id)).flatMap((node) => (node ? [nameOf(node)] : []));

export const places = (at: readonly string[]) => at.join(' and ') || 'between two steps';

/** How many stand where, the most first. */
export function standingTable(old: Diagram, instances: readonly Standing[]): string[] {
  const groups = new Map<string, { all: number; stuck: number }>();
  for (const { at, incident } of instances) {
    const place = places(names(old, at));
    const group = groups.get(place) ?? { all: 0, stuck: 0 };
    groups.set(place, { all: group.all + 1, stuck: group.stuck + (incident ? 1 : 0) });
  }
  return [...groups]
    .toSorted(([, a], [, b]) => b.all - a.all)
    .map(([place, { all, stuck }]) => `${String(all).padStart(6)}  at ${place}${stuck ? `, ${stuck} stuck` : ''}`);
}

type OrderOf = (key: string) => string | undefined;

export const leftTable = (left: readonly Left[], orderOf: OrderOf) =>
  left.map(({ key, at, reason }) => `  ${key}  order ${orderOf(key) ?? '?'}  at ${places(at)}: ${reason}`);

/** Without an engine: where an instance could not be migrated. */
export function obstacleTable(old: Diagram, plan: Plan): string[] {
  // A token waits in these; the others are passed at once.
  const waits = old.nodes.filter((node) =>
    /(Task|SubProcess|CallActivity|EventBasedGateway|CatchEvent|ThrowEvent)$/.test(node.$type),
  );
  return waits.flatMap((node) => {
    const reason = plan.obstacle(node.id);
    return reason && !node.isForCompensation ? [`  at ${nameOf(node)}: ${reason}`] : [];
  });
}

export function outcomeTable(outcomes: readonly Outcome[], left: readonly Left[], orderOf: OrderOf): string[] {
  const count = (result: Outcome['result']) => outcomes.filter((one) => one.result === result).length;
  const row = (what: string, number: number, more = '') =>
    number > 0 || !more ? [`${what.padEnd(10)}${String(number).padStart(6)}${more}`] : [];
  const failed = outcomes.filter(({ result }) => result === 'failed');
  return [
    ...row('migrated', count('migrated')),
    ...row('', count('before'), '  migrated by an earlier run'),
    ...row('', count('ended'), '  ended meanwhile, on the old version'),
    ...row('left', left.length),
    ...leftTable(left, orderOf),
    ...row('failed', failed.length),
    ...failed.map(({ key, reason }) => `  ${key}  order ${orderOf(key) ?? '?'}: ${reason}`),
  ];
}
