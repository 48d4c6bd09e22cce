import { kindOf, type Rule } from '../rule.ts';

export const documented: Rule = {
  id: 'documented',
  demands: 'The process and every box, event and gateway say in a sentence what they do.',
  inDiagram({ nodes, process }) {
    return [process, ...nodes]
      .filter((element) => !element.documentation?.[0]?.text?.trim())
      .map((element) => ({
        at: element,
        problem: 'has no documentation.',
        remedy: `Write one sentence into the ${kindOf(element)}’s “Documentation” that says what it does and why.`,
      }));
  },
};
