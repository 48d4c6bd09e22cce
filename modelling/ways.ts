/** What happens on the ways through a diagram: which elements do a job, and which ways are none of ours. */
import type { Contract } from './contract.ts';
import { type Diagram, type Element, eventOf, handlersOf, isA, isTask, jobTypeOf } from './diagram.ts';
import type { Edge } from './graph.ts';
import { quoted, shortly } from './rule.ts';

export const isEnd = isA('EndEvent');

/** Does the element do one of these jobs, itself or as the undo that it throws? */
export const does = (diagram: Diagram, types: readonly string[]) => (element: Element) =>
  [element, ...handlersOf(diagram, element)].some((it) => types.includes(jobTypeOf(it) ?? ''));

/** Leaves by an error that says: this order is not ours to touch. */
export const handsOffEdge = (contract: Contract) => (edge: Edge) =>
  contract.handsOff.includes(eventOf(edge.to, 'Error')?.errorRef?.errorCode ?? '');

export const labels = (diagram: Diagram, types: readonly string[]) => {
  const names = diagram.nodes.filter((node) => isTask(node) && types.includes(jobTypeOf(node) ?? '')).map(shortly);
  return names.length > 0 ? [...new Set(names)].join(' or ') : quoted(types);
};
