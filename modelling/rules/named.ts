import { eventOf, isA } from '../diagram.ts';
import { kindOf, type Rule } from '../rule.ts';

export const named: Rule = {
  id: 'named',
  demands: 'Boxes, events and decisions have a name, and so have the arrows out of a decision.',
  inDiagram({ nodes, flows }) {
    const outOf = (element: (typeof nodes)[number]) => flows.filter((flow) => flow.sourceRef === element);
    const isDecision = isA(/(Exclusive|Inclusive)Gateway$/);
    const needsName = nodes.filter((node) => {
      if (isDecision(node)) return outOf(node).length > 1;
      return !isA('ParallelGateway')(node);
    });
    const answers = needsName.filter(isDecision).flatMap(outOf);
    return [...needsName, ...answers]
      .filter((element) => !element.name?.trim())
      .map((element) => ({
        at: element,
        problem: 'has no name, so nobody can see what it means.',
        remedy: isA('SequenceFlow')(element)
          ? 'Write on the arrow which answer it stands for, as “yes” or “no”.'
          : `Name the ${eventOf(element, 'Compensate') ? 'event' : kindOf(element)} in a few words that a business person reads.`,
      }));
  },
};
