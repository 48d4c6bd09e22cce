import type { Rule } from '../rule.ts';

export const timelineKnows: Rule = {
  id: 'timeline-knows',
  demands: 'The steps that an order’s timeline and its undo name are in a diagram.',
  inAll(diagrams, { knownElements }) {
    const ids = diagrams.flatMap(({ nodes }) => nodes.map(({ id }) => id));
    return [...new Set(knownElements)]
      .filter((id) => !ids.includes(id))
      .map((id) => ({
        at: `The step “${id}”`,
        problem: 'is named by the contract for the order’s timeline, but is in no diagram.',
        remedy:
          'Was the element deleted, or its id changed? Put the id back; else a developer takes it out of contract/jobs.ts.',
      }));
  },
};
