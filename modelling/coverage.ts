/** How much of a diagram the process tests have been through. */
import { type Diagram, type Element, isA } from './diagram.ts';

/** For an element's id, how often the engine passed it. What was never passed may be missing. */
export type Visits = ReadonlyMap<string, number>;

export type Part = {
  id: string;
  kind: Kind;
  visits: number;
  /** As people find it in the diagram: kind, name, id. */
  words: string;
};

const kinds = [
  ['sequence flows', 'takes', isA('SequenceFlow')],
  ['activities', 'completes', isA(/(Task|CallActivity|SubProcess|Transaction)$/)],
  ['gateways', 'passes', isA(/Gateway$/)],
  ['boundary events', 'passes', isA('BoundaryEvent')],
  ['events', 'passes', isA(/Event$/)],
] as const;
export type Kind = (typeof kinds)[number][0];
export const everyKind: readonly Kind[] = kinds.map(([kind]) => kind);

/** All parts of the diagram that an order can pass, in the order of the file; data and annotations are none. */
export function coverageOf({ elements }: Pick<Diagram, 'elements'>, visits: Visits): Part[] {
  return elements.flatMap((element) => {
    const kind = kindOf(element);
    return kind ? [{ id: element.id, kind, visits: visits.get(countedBy(element)) ?? 0, words: inWords(element) }] : [];
  });
}

/** The engine writes no record of a flow out of an event gateway; it is the only way to its event, and so counts as that. */
function countedBy({ id, sourceRef, targetRef }: Element): string {
  return sourceRef && targetRef && isA('EventBasedGateway')(sourceRef) ? targetRef.id : id;
}

export const uncovered = (parts: readonly Part[]): Part[] => parts.filter(({ visits }) => visits === 0);

/** How many parts of a kind there are, and how many of them were passed. */
export function tally(parts: readonly Part[], kind: Kind): { covered: number; total: number } {
  const all = parts.filter((part) => part.kind === kind);
  return { covered: all.length - uncovered(all).length, total: all.length };
}

/** A sentence for each part that no test has been through. */
export function complaints(parts: readonly Part[]): string[] {
  const verb = (kind: Kind) => kinds.find(([title]) => title === kind)?.[1];
  return uncovered(parts).map(({ kind, words }) => `No process test ${verb(kind)} ${words}.`);
}

/** The figures of the diagrams, one line each, below a line of headings. */
export function table(diagrams: readonly { processId: string; parts: readonly Part[] }[]): string[] {
  const figures = diagrams.map(({ processId, parts }) => [
    processId,
    ...everyKind.map((kind) => tally(parts, kind)).map(({ covered, total }) => `${covered} of ${total}`),
  ]);
  const rows = [['diagram', ...everyKind], ...figures];
  const width = (column: number) => Math.max(...rows.map((row) => row[column]?.length ?? 0));
  return rows.map((row) =>
    row
      .map((cell, column) => cell.padEnd(width(column)))
      .join('  ')
      .trimEnd(),
  );
}

const kindOf = (element: Element): Kind | undefined => kinds.find(([, , matches]) => matches(element))?.[0];

/** `the boundary event “Tickets gone” at “Confirm tickets” (TicketsGone)` */
function inWords(element: Element): string {
  const { id, name, $type, sourceRef, targetRef, attachedToRef } = element;
  const kind = sourceRef
    ? 'flow'
    : $type
        .replace('bpmn:', '')
        .replaceAll(/\B[A-Z]/g, ' $&')
        .toLowerCase();
  const place = sourceRef
    ? ` from ${called(sourceRef)} to ${called(targetRef)}`
    : attachedToRef
      ? ` at ${called(attachedToRef)}`
      : '';
  return `the ${kind}${name ? ` “${name}”` : ''}${place} (${id})`;
}

const called = (element: Element | undefined): string => (element?.name ? `“${element.name}”` : (element?.id ?? '?'));
