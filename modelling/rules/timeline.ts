import { isTask } from '../diagram.ts';
import { quoted, type Rule } from '../rule.ts';

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

/** The timeline reads the story of an order from several diagrams, and knows a step by its id alone. */
export const stepsApart: Rule = {
  id: 'steps-apart',
  demands: 'A task’s id is in one diagram only.',
  inAll(diagrams) {
    const places = new Map<string, string[]>();
    for (const { nodes, file } of diagrams)
      for (const { id } of nodes.filter(isTask)) places.set(id, [...(places.get(id) ?? []), file]);
    return [...places]
      .filter(([, files]) => files.length > 1)
      .map(([id, files]) => ({
        at: `The step “${id}”`,
        problem: `is in ${quoted(files, 'and')}: an order’s timeline could not tell them apart.`,
        remedy: 'Give one of them an id of its own.',
      }));
  },
};
