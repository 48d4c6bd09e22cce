/** What a rule of the contract check is, and how it speaks: in the words of the person who drew the diagram. */
import type { Contract } from './contract.ts';
import { type Diagram, type Element, isA } from './diagram.ts';

export type Finding = {
  rule: string;
  /** As `bpmn/ticket-order.bpmn`. */
  file: string;
  /** How a person calls the element, as `“Reserve tickets” (ReserveTickets)`. */
  element: string;
  problem: string;
  remedy: string;
};

/** What a rule reports; the rest of the finding is added by `check`. */
export type Trouble = { at: Element | string; problem: string; remedy: string };

export type Rule = {
  id: string;
  /** What it demands, in one sentence. */
  demands: string;
  inDiagram?: (diagram: Diagram, contract: Contract) => Trouble[] | Promise<Trouble[]>;
  /** For what can only be said of all diagrams together. */
  inAll?: (diagrams: Diagram[], contract: Contract) => Trouble[];
};

/** How a person calls an element: by its name, with the id to find it by. */
export function called(element: Element | undefined): string {
  if (!element) return 'something';
  if (element.name && !isA('SequenceFlow')(element)) return `“${element.name}” (${element.id})`;
  if (!isA('SequenceFlow')(element)) return `the ${kindOf(element)} ${element.id}`;
  const label = element.name ? ` “${element.name}”` : '';
  return `the arrow${label} from ${shortly(element.sourceRef)} to ${shortly(element.targetRef)} (${element.id})`;
}

export const shortly = (element: Element | undefined) =>
  element?.name ? `“${element.name}”` : (element?.id ?? 'nowhere');

export const quoted = (names: readonly string[], word = 'or') =>
  names
    .map((name) => `“${name}”`)
    .join(', ')
    .replace(/, ([^,]*)$/, ` ${word} $1`);

const kinds: [RegExp, string][] = [
  [/Task$/, 'task'],
  [/Gateway$/, 'gateway'],
  [/SequenceFlow$/, 'arrow'],
  [/SubProcess$/, 'subprocess'],
  [/Event$/, 'event'],
  [/:Message$/, 'message'],
  [/:Error$/, 'error'],
  [/Association$/, 'dotted line'],
];
export const kindOf = (element: Element) => kinds.find(([type]) => type.test(element.$type))?.[1] ?? 'element';

/** The way to an element, for a person to follow: “A” → “B” → “C”. */
export const way = (path: Element[]) =>
  path
    .filter((step) => step.name)
    .map(shortly)
    .join(' → ');
