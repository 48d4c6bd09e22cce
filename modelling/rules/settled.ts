import { type Element, eventOf, isA, isEventSubprocess, jobTypeOf } from '../diagram.ts';
import { type Edge, edgesFrom, edgesOf, follow, followFromStarts } from '../graph.ts';
import { called, quoted, type Rule, shortly, way } from '../rule.ts';
import { does, handsOffEdge, isEnd, labels } from '../ways.ts';

export const settled: Rule = {
  id: 'settled',
  demands: 'What was held or asked for is settled before the order is closed and before the process ends.',
  inDiagram(diagram, contract) {
    const finals = contract.typesOf(contract.closesOf(diagram.process.id));
    const isOver = (node: Element) => isEnd(node) || finals.includes(jobTypeOf(node) ?? '');
    return contract.duties.flatMap(({ after, evenIfInterrupted, owes, otherwise }) => {
      const makes = does(diagram, contract.typesOf([after]));
      const payers = contract.typesOf(owes);
      const pays = does(diagram, payers);
      const begins = edgesOf(diagram).filter(
        ({ from, to, kind }) =>
          makes(from) && (kind === 'done' || (kind === 'instead' && evenIfInterrupted && !eventOf(to, 'Error'))),
      );
      const makers = [...new Set(begins.map(({ from }) => from))];
      const sources = makers.map((maker) => ({ maker, edges: begins.filter(({ from }) => from === maker) }));
      // An event subprocess may interrupt the process after the step was done, or while it is.
      const [maker] = makers.filter((node) => !isEventSubprocess(node.$parent));
      if (maker)
        for (const start of diagram.nodes.filter((node) => isA('StartEvent')(node) && isEventSubprocess(node.$parent)))
          sources.push({ maker, edges: edgesFrom(diagram, start) });
      const leavesPaid = ({ from, kind }: Edge) => kind === 'done' && pays(from);
      const notOurs = handsOffEdge(contract);
      return sources.flatMap(({ maker, edges }) => {
        const stops = (edge: Edge) =>
          edge.kind === 'beside' || notOurs(edge) || (!edges.includes(edge) && leavesPaid(edge));
        const reached = follow(diagram, edges, stops);
        const open = [...reached].filter(([node]) => isOver(node) && !pays(node));
        // What comes behind a close that came too early is the same trouble again.
        const first = open.filter(([, path]) => !path.slice(0, -1).some((step) => isOver(step) && !pays(step)));
        return first.map(([end, path]) => ({
          at: end,
          problem: `is reached after ${called(maker)} without ${labels(diagram, payers)}, and ${otherwise}. The way: ${way(path)}.`,
          remedy: `Put a task with the job ${quoted(payers)} on this way, before ${shortly(end)}.`,
        }));
      });
    });
  },
};

export const orderClosed: Rule = {
  id: 'order-closed',
  demands: 'On every way through the process the order gets its final status, once.',
  inDiagram(diagram, contract) {
    const types = contract.typesOf(contract.closesOf(diagram.process.id));
    if (types.length === 0) return [];
    const closes = does(diagram, types);
    const notOurs = handsOffEdge(contract);
    const stops = (edge: Edge) =>
      edge.kind === 'beside' || notOurs(edge) || (edge.kind === 'done' && closes(edge.from));
    const open = [...followFromStarts(diagram, stops)].filter(([node]) => isEnd(node));
    const closing = diagram.nodes.filter(closes);
    const again = closing.flatMap((node) => {
      const done = edgesFrom(diagram, node).filter(({ kind }) => kind === 'done');
      const next = [...follow(diagram, done, () => false)].find(([other]) => closes(other));
      return next ? [{ node, second: next[0] }] : [];
    });
    const beside = edgesOf(diagram)
      .filter(({ kind }) => kind === 'beside')
      .flatMap((edge) => ([...follow(diagram, [edge], () => false).keys()].some(closes) ? [edge.to] : []));
    return [
      ...open.map(([end, path]) => ({
        at: end,
        problem: `is reached without ${labels(diagram, types)}, so the order would never get its final status. The way: ${way(path)}.`,
        remedy: `Put a task with the job ${quoted(types)} on this way.`,
      })),
      ...again.map(({ node, second }) => ({
        at: second,
        problem: `closes an order that ${called(node)} has closed before.`,
        remedy: 'Delete one of the two from this way.',
      })),
      ...beside.map((event) => ({
        at: event,
        problem: `does not interrupt ${called(event.attachedToRef)}, so the order would go two ways at once and be closed twice.`,
        remedy: 'Make it an interrupting event (a solid circle).',
      })),
    ];
  },
};
