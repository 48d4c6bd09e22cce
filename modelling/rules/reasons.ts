import type { Contract } from '../contract.ts';
import { type Diagram, type Element, eventOf, jobTypeOf, outputsOf } from '../diagram.ts';
import { edgesTo } from '../graph.ts';
import { called, type Rule } from '../rule.ts';

/** A message left over from an earlier reason would be told with the new code. */
export const reasonComplete: Rule = {
  id: 'reason-complete',
  demands: 'Who sets the reason’s code sets its message too.',
  inDiagram({ nodes }) {
    return nodes.flatMap((node) => {
      const targets = outputsOf(node).map((it) => it.target);
      if (targets.includes('reasonCode') === targets.includes('reasonMessage')) return [];
      const missing = targets.includes('reasonCode') ? 'reasonMessage' : 'reasonCode';
      return {
        at: node,
        problem: `sets one half of the reason, but not “${missing}”: an older one would be told with it.`,
        remedy: `Add an output mapping for “${missing}”; “=null” if there is nothing to say.`,
      };
    });
  },
};

export const reasonFits: Rule = {
  id: 'reason-fits',
  demands: 'A cancel, an abort and a time limit give their own reason.',
  inDiagram(diagram, contract) {
    return diagram.nodes.flatMap((node) => {
      const given = outputsOf(node).find(({ target }) => target === 'reasonCode')?.source;
      const [, code] = /^="([A-Z_]+)"$/.exec(given ?? '') ?? [];
      const fits = fittingReason(diagram, contract, node);
      if (!code || !fits || code === fits || !contract.reasons.includes(code)) return [];
      return {
        at: node,
        problem: `ends the order with the reason “${code}”, but what happened here is “${fits}”: the customer would be told something else.`,
        remedy: `Set the output mapping of ${called(node)} to “="${fits}"”.`,
      };
    });
  },
};

function fittingReason(diagram: Diagram, contract: Contract, node: Element): string | undefined {
  const message = eventOf(node, 'Message')?.messageRef?.name;
  if (message) return contract.reasonsOfMessages[message];
  if (!eventOf(node, 'Timer')) return undefined;
  const outside = contract.typesOf(contract.outsideJobs);
  if (outside.includes(jobTypeOf(node.attachedToRef ?? node) ?? '')) return contract.reasonsOfLimits.outsideJob;
  const waits = edgesTo(diagram, node).some(({ from }) => from.$type === 'bpmn:EventBasedGateway');
  return waits ? contract.reasonsOfLimits.wait : undefined;
}
