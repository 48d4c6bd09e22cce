/** Which element can come after which, and the paths through a diagram. */
import { boundariesOf, type Diagram, type Element, eventOf, isA, isEventSubprocess } from './diagram.ts';

/**
 * `done`: the element was left by an arrow, after it was done. `instead`: an event on its edge ended it before it was
 * done. `beside`: an event on its edge that does not end it.
 */
export type Edge = { from: Element; to: Element; kind: 'done' | 'instead' | 'beside'; flow?: Element };

const cache = new WeakMap<Diagram, Edge[]>();

export function edgesOf(diagram: Diagram): Edge[] {
  const known = cache.get(diagram) ?? findEdges(diagram);
  cache.set(diagram, known);
  return known;
}

function findEdges(diagram: Diagram): Edge[] {
  const inner = (scope: Element) => diagram.nodes.filter((node) => node.$parent === scope);
  const isEmbedded = (element: Element) => isA('SubProcess')(element) && !isEventSubprocess(element);
  // An embedded subprocess is left where its inner paths end, and entered where they start.
  const exits = (element: Element): Element[] =>
    isEmbedded(element) ? inner(element).filter(isA('EndEvent')).flatMap(exits) : [element];
  const interruptible = (element: Element): Element[] =>
    isEmbedded(element) ? [element, ...inner(element).flatMap(interruptible)] : [element];

  const flows = diagram.flows.flatMap((flow) =>
    flow.sourceRef && flow.targetRef
      ? exits(flow.sourceRef).map((from): Edge => ({ from, to: flow.targetRef!, kind: 'done', flow }))
      : [],
  );
  const entries = diagram.nodes.filter(isEmbedded).flatMap((scope) =>
    inner(scope)
      .filter(isA('StartEvent'))
      .map((to): Edge => ({ from: scope, to, kind: 'done' })),
  );
  const events = diagram.nodes.flatMap((task) =>
    boundariesOf(diagram, task)
      .filter((event) => !eventOf(event, 'Compensate'))
      .flatMap((to) => {
        const kind = to.cancelActivity === false ? 'beside' : 'instead';
        return interruptible(task).map((from): Edge => ({ from, to, kind }));
      }),
  );
  return [...flows, ...entries, ...events];
}

export const edgesFrom = (diagram: Diagram, node: Element) => edgesOf(diagram).filter((edge) => edge.from === node);
export const edgesTo = (diagram: Diagram, node: Element) => edgesOf(diagram).filter((edge) => edge.to === node);

/**
 * Follows all arrows from these edges on, but none that `stops` holds back. A joining parallel gateway is passed only
 * when every one of its branches got there. Returns each element that is reached, with one path to it.
 */
export function follow(diagram: Diagram, from: Edge[], stops: (edge: Edge) => boolean): Map<Element, Element[]> {
  const reached = new Map<Element, Element[]>();
  const arrived = new Map<Element, number>();
  const queue = from.filter((edge) => !stops(edge)).map((edge) => ({ edge, path: [edge.from] }));
  const seen = new Set<Edge>(from);
  for (let next = queue.shift(); next; next = queue.shift()) {
    const { to } = next.edge;
    const count = (arrived.get(to) ?? 0) + 1;
    arrived.set(to, count);
    if (reached.has(to)) continue;
    if (isA('ParallelGateway')(to) && count < edgesTo(diagram, to).length) continue;
    const path = [...next.path, to];
    reached.set(to, path);
    for (const edge of edgesFrom(diagram, to)) {
      if (seen.has(edge) || stops(edge)) continue;
      seen.add(edge);
      queue.push({ edge, path });
    }
  }
  return reached;
}

/** Everything that a token can reach from the starts of the process and of its event subprocesses. */
export function followFromStarts(diagram: Diagram, stops: (edge: Edge) => boolean): Map<Element, Element[]> {
  const starts = diagram.nodes.filter((node) => isA('StartEvent')(node) && edgesTo(diagram, node).length === 0);
  const reached = follow(
    diagram,
    starts.flatMap((start) => edgesFrom(diagram, start)),
    stops,
  );
  for (const start of starts) reached.set(start, [start]);
  return reached;
}
