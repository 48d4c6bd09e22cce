/**
 * Says before anything is touched what a migration can do, from the two diagrams and the mapping file alone. The rules are
 * those of engine 8.6.0, each tried on it, and some that it does not have: it takes a plan by which an undo is lost.
 */
import { type Diagram, type Element, isA } from './diagram.ts';
import type { Mapping } from './migrate-mapping.ts';
import { notesOf } from './migrate-notes.ts';
import { hasUndo, isMovable, listensTo, messageOf, nameOf, typeName } from './migrate-places.ts';

export type Plan = {
  /** Why no instance at all can be migrated. */
  problems: string[];
  /** What the operator must know although it can be done. */
  notes: string[];
  /** What the engine is told: old id → new id. */
  elements: Record<string, string>;
  /** Why an instance with a token in this element of the old diagram cannot be migrated; undefined when it can. */
  obstacle(elementId: string): string | undefined;
};

/** The pairs of elements: which of the old diagram is which of the new. */
export type Pairs = ReadonlyMap<Element, Element>;

export function planMigration(old: Diagram, next: Diagram, mapping: Mapping): Plan {
  const byId = new Map(next.nodes.map((node) => [node.id, node]));
  const targetOf = (node: Element) => byId.get(mapping.elements[node.id] ?? node.id);
  const pairs = new Map(
    old.nodes.flatMap((node) => {
      const target = targetOf(node);
      return target && typeName(target) === typeName(node) ? [[node, target] as const] : [];
    }),
  );
  const told = [...pairs].filter(([node, target]) => messageOf(node)?.name === messageOf(target)?.name);
  const toldTargets = new Set(told.map(([, target]) => target));

  const sameScope = (one?: Element, other?: Element) =>
    (one === old.process && other === next.process) || (one !== undefined && pairs.get(one) === other);

  /** A message that is listened to cannot be listened to anew: its event must be mapped. */
  function unmappedMessage(place: Element, target: Element): string | undefined {
    const before = listensTo(old, place);
    const after = listensTo(next, target);
    const astray = before.find((event) => pairs.has(event) && !after.includes(pairs.get(event)!));
    if (astray) return `its event ${nameOf(astray)} would hang at another element`;
    for (const event of after.filter((it) => !toldTargets.has(it))) {
      const twin = before.find((it) => messageOf(it)?.name && messageOf(it)?.name === messageOf(event)?.name);
      if (twin)
        return `it waits for the message “${messageOf(twin)?.name}” already: map ${twin.id} to ${event.id} in the mapping file`;
    }
    return undefined;
  }

  function obstacle(elementId: string): string | undefined {
    const place = old.nodes.find(({ id }) => id === elementId);
    if (!place) return `the old diagram has no element ${elementId}`;
    if (!isMovable(place)) return `the engine cannot migrate out of a ${typeName(place)}; wait until it has passed`;
    if (hasUndo(old, place)) return 'the engine cannot migrate a step that has an undo; wait until it has passed';
    const target = targetOf(place);
    if (!target) return 'it is gone in the new diagram, and the mapping file does not say what it became';
    if (!pairs.has(place))
      return `it is a ${typeName(place)} and would become a ${typeName(target)} (${nameOf(target)})`;
    if (!sameScope(place.$parent, target.$parent)) return `${nameOf(target)} is in another subprocess`;
    if (hasUndo(next, target)) return `${nameOf(target)} has an undo in the new diagram; wait until it has passed`;
    return unmappedMessage(place, target);
  }

  const lostUndos = old.nodes.filter((task) => {
    const same = byId.get(task.id);
    return hasUndo(old, task) && !(same && hasUndo(next, same) && sameScope(task.$parent, same.$parent));
  });
  const everywhere = unmappedMessage(old.process, next.process);

  return {
    problems: [
      ...misfits(old, next, mapping),
      ...lostUndos.map(
        (task) =>
          `Orders that are past ${nameOf(task)} would lose its undo, and the engine would not say so: in the new diagram keep the id ${task.id}, its scope and its compensation event.`,
      ),
      ...(everywhere ? [`Wherever an order stands, ${everywhere}.`] : []),
    ],
    notes: notesOf(old, next, pairs),
    elements: Object.fromEntries(told.map(([node, target]) => [node.id, target.id])),
    obstacle,
  };
}

/** What in the mapping file does not fit the two diagrams. */
function misfits(old: Diagram, next: Diagram, { process, elements }: Mapping): string[] {
  const find = (diagram: Diagram, id: string) => diagram.nodes.find((node) => node.id === id);
  const problems = [old, next]
    .filter((diagram) => diagram.process.id !== process)
    .map((diagram) => `The mapping file is for the process ${process}; ${diagram.file} is ${diagram.process.id}.`);
  for (const [from, to] of Object.entries(elements)) {
    const [one, other] = [find(old, from), find(next, to)];
    if (!one) problems.push(`The mapping file maps ${from}, which the old diagram does not have.`);
    if (!other) problems.push(`The mapping file maps ${from} to ${to}, which the new diagram does not have.`);
    if (one && other && typeName(one) !== typeName(other))
      problems.push(
        `The mapping file maps ${nameOf(one)}, a ${typeName(one)}, to ${nameOf(other)}, a ${typeName(other)}: types must be the same.`,
      );
  }
  const targets = old.nodes.filter(isA(/(CatchEvent|BoundaryEvent)$/)).map(({ id }) => elements[id] ?? id);
  const merged = Object.values(elements).filter((to) => targets.filter((id) => id === to).length > 1);
  return [...problems, ...[...new Set(merged)].map((to) => `Two events become ${to}: events cannot be merged.`)];
}
