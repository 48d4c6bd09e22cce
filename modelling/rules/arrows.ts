import { eventOf, isA } from '../diagram.ts';
import { edgesTo, followFromStarts } from '../graph.ts';
import { kindOf, type Rule, shortly } from '../rule.ts';

export const arrowEnds: Rule = {
  id: 'arrow-ends',
  demands: 'Every arrow starts and ends at an element, and both know of it.',
  inDiagram({ flows, nodes }) {
    const loose = flows.filter((flow) => !flow.sourceRef || !flow.targetRef);
    const unknown = flows.filter(
      (flow) => !flow.sourceRef?.outgoing?.includes(flow) || !flow.targetRef?.incoming?.includes(flow),
    );
    const gone = nodes.flatMap((node) => [
      ...(node.outgoing ?? []).filter((flow) => flow.sourceRef !== node),
      ...(node.incoming ?? []).filter((flow) => flow.targetRef !== node),
    ]);
    return [...new Set([...loose, ...unknown, ...gone])].map((flow) => ({
      at: flow,
      problem: 'does not connect two elements that know of it.',
      remedy: 'Delete the arrow and draw it again in Camunda Modeler.',
    }));
  },
};

export const reachable: Rule = {
  id: 'reachable',
  demands: 'Every element can be reached.',
  inDiagram(diagram) {
    const reached = followFromStarts(diagram, () => false);
    return diagram.nodes
      .filter((node) => !reached.has(node) && !isA('SubProcess')(node) && !node.isForCompensation)
      .filter((node) => !eventOf(node, 'Compensate') || !node.attachedToRef)
      .filter((node) => edgesTo(diagram, node).every(({ from }) => reached.has(from)))
      .map((node) => ({
        at: node,
        problem:
          edgesTo(diagram, node).length > 1 ? 'waits for branches that never all arrive.' : 'can never be reached.',
        remedy: `Draw the arrow that leads to the ${kindOf(node)}, or delete it.`,
      }));
  },
};

export const leadsOn: Rule = {
  id: 'leads-on',
  demands: 'Every path goes on until an end event; an end event is the end.',
  inDiagram({ nodes, flows }) {
    const goesOn = nodes.filter((node) => !node.isForCompensation && !node.triggeredByEvent);
    const leaves = (node: (typeof nodes)[number]) => flows.some((flow) => flow.sourceRef === node);
    return goesOn
      .filter((node) => !(eventOf(node, 'Compensate') && node.attachedToRef))
      .filter((node) => leaves(node) === isA('EndEvent')(node))
      .map((node) => ({
        at: node,
        problem: isA('EndEvent')(node)
          ? 'is an end event, but an arrow leaves it.'
          : 'leads nowhere: the order would stop here without an end.',
        remedy: isA('EndEvent')(node)
          ? 'Delete the arrow, or make it an intermediate event.'
          : `Draw an arrow from ${shortly(node)} to what comes next, or to an end event.`,
      }));
  },
};
