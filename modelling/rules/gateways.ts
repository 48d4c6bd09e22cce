import { type Element, eventOf, isA, jobTypeOf } from '../diagram.ts';
import { edgesFrom, edgesTo, follow } from '../graph.ts';
import { quoted, type Rule, shortly } from '../rule.ts';

const isDecision = isA(/(Exclusive|Inclusive)Gateway$/);

export const decides: Rule = {
  id: 'gateway-decides',
  demands: 'A decision always finds its way out: each arrow has a condition, and one without is the default.',
  inDiagram({ nodes, flows }) {
    const stray = flows
      .filter((flow) => flow.conditionExpression && flow.sourceRef && !isDecision(flow.sourceRef))
      .map((flow) => ({
        at: flow,
        problem: `has a condition, but ${shortly(flow.sourceRef)} decides nothing: the condition is never asked.`,
        remedy: 'Put an exclusive gateway there, or delete the condition.',
      }));
    const stuck = nodes.filter(isDecision).flatMap((gateway) => {
      const ways = flows.filter((flow) => flow.sourceRef === gateway);
      const standard = gateway.default;
      if (ways.length < 2) {
        // One that only joins arrows has one way out by right.
        if (!ways.some((way) => way.conditionExpression) && (gateway.incoming?.length ?? 0) > 1) return [];
        return {
          at: gateway,
          problem: 'decides nothing: there is only one way out of it.',
          remedy: 'Draw the arrow for the other answer, or delete the gateway.',
        };
      }
      const open = ways.filter((way) => !way.conditionExpression && way !== standard);
      return [
        ...open.map((way) => ({
          at: way,
          problem: `has no condition and is not the default, so ${shortly(gateway)} cannot tell when to go there.`,
          remedy: 'Give the arrow a condition, or make it the default flow.',
        })),
        ...(standard && standard.conditionExpression
          ? [
              {
                at: standard,
                problem: `is the default of ${shortly(gateway)}, but has a condition, which is never asked.`,
                remedy: 'Delete the condition, or choose another default.',
              },
            ]
          : []),
        ...(!standard || !ways.includes(standard)
          ? [
              {
                at: gateway,
                problem: 'has no default: an order that fits none of the conditions would get stuck here.',
                remedy: `Make one of the arrows to ${quoted(ways.map((way) => way.targetRef?.name ?? way.targetRef?.id ?? ''))} the default flow.`,
              },
            ]
          : []),
      ];
    });
    return [...stray, ...stuck];
  },
};

export const joins: Rule = {
  id: 'joins-forks',
  demands: 'A gateway that waits for all of its branches stands behind one that started them all.',
  inDiagram(diagram) {
    const forks = diagram.nodes.filter((node) => isA('ParallelGateway')(node) && edgesFrom(diagram, node).length > 1);
    return diagram.nodes
      .filter((node) => isA('ParallelGateway')(node) && edgesTo(diagram, node).length > 1)
      .filter((join) => {
        const arrives = edgesTo(diagram, join);
        return !forks.some((fork) => {
          const branches = edgesFrom(diagram, fork).map((edge) => follow(diagram, [edge], ({ to }) => to === join));
          const from = arrives.map((edge) => branches.findIndex((nodes) => edge.from === fork || nodes.has(edge.from)));
          return (
            !from.includes(-1) && (new Set(from).size === arrives.length || arrives.some((edge) => edge.from === fork))
          );
        });
      })
      .map((join) => ({
        at: join,
        problem:
          'waits for all of the arrows that lead to it, but only one of them is ever taken: the order would wait for ever.',
        remedy: 'Make it an exclusive gateway.',
      }));
  },
};

export const noLoop: Rule = {
  id: 'no-endless-loop',
  demands: 'A way back passes a timer or a message, and nothing that holds or asks for something a second time.',
  inDiagram(diagram, { duties, typesOf }) {
    const waits = (node: Element) => eventOf(node, 'Timer') ?? eventOf(node, 'Message');
    const comesBack = (node: Element, stops: (node: Element) => boolean) =>
      follow(diagram, edgesFrom(diagram, node), ({ to }) => stops(to)).has(node);
    const looping = diagram.nodes.filter((node) => !waits(node) && comesBack(node, (it) => !!waits(it)));
    const once = typesOf(duties.map(({ after }) => after));
    const again = diagram.nodes.filter(
      (node) => once.includes(jobTypeOf(node) ?? '') && !looping.includes(node) && comesBack(node, () => false),
    );
    const [first] = looping;
    return [
      ...(first
        ? [
            {
              at: first,
              problem: `is on a way that leads back to itself without a pause: ${looping.map(shortly).join(' → ')}.`,
              remedy: 'Lead the arrow elsewhere, or put a timer on the way back.',
            },
          ]
        : []),
      ...again.map((node) => ({
        at: node,
        problem: 'can be done a second time, because a way behind it leads back to it.',
        remedy: 'Lead the arrow that goes back elsewhere.',
      })),
    ];
  },
};
