import { inputsOf, isTask, jobTypeOf, outputsOf } from '../diagram.ts';
import { expressionsOf } from '../expressions.ts';
import { quoted, type Rule } from '../rule.ts';
import { inside, variablesBefore } from '../variables.ts';

export const expressionReads: Rule = {
  id: 'expression-reads',
  demands: 'Every expression can be read.',
  inDiagram(diagram, contract) {
    return expressionsOf(diagram, contract).flatMap(({ element, what, expression: { problem } }) =>
      problem
        ? {
            at: element,
            problem: `has a mistake: ${what} ${problem}.`,
            remedy: 'Correct it; text stands in straight quotes, as in =paymentOutcome = "APPROVED".',
          }
        : [],
    );
  },
};

export const variablesThere: Rule = {
  id: 'variables-there',
  demands: 'What an expression reads was set before, on every way there.',
  inDiagram(diagram, contract) {
    return expressionsOf(diagram, contract).flatMap(({ element, what, expression, sees }) => {
      const missing = expression.reads.filter((name) => sees && !sees.has(name) && !expression.mayMiss.includes(name));
      if (missing.length === 0 || expression.problem) return [];
      return {
        at: element,
        problem: `asks for ${quoted(missing, 'and')} in ${what}, but on some way to it nothing has set that.`,
        remedy: `Is it spelled right? There are ${quoted([...(sees?.keys() ?? [])], 'and')}. Else set it earlier by an output mapping.`,
      };
    });
  },
};

export const inputsThere: Rule = {
  id: 'inputs-there',
  demands: 'What a task’s job needs was set before, on every way there.',
  inDiagram(diagram, contract) {
    const before = variablesBefore(diagram, contract);
    return diagram.nodes.filter(isTask).flatMap((task) => {
      const now = before.get(task);
      const job = contract.jobOf(jobTypeOf(task));
      if (!now || !job) return [];
      const { input } = inside(task, now, contract);
      const missing = Object.entries(job.input)
        .filter(([, variable]) => variable.required)
        .filter(([name, { nullable }]) => !input.has(name) || (input.get(name) === 'empty' && !nullable))
        .map(([name]) => name);
      if (missing.length === 0) return [];
      return {
        at: task,
        problem: `needs ${quoted(missing, 'and')}, but on some way to it nothing has set that.`,
        remedy: `Look at each way that leads here: an event or a task before must set ${quoted(missing, 'and')} by an output mapping.`,
      };
    });
  },
};

export const wordsKnown: Rule = {
  id: 'words-known',
  demands: 'A text that is compared with a variable, or given to it, is one that the variable can have.',
  inDiagram(diagram, contract) {
    const possible = (name: string) => contract.factsOf(name).flatMap((fact) => fact.words ?? []);
    return expressionsOf(diagram, contract).flatMap(({ element, what, expression, target }) => {
      const { compared, reads, words } = expression;
      const doubts = [
        ...compared.map(({ name, word }) => ({ names: [name], words: [word] })),
        { names: target ? [target] : reads, words },
      ];
      return doubts.flatMap(({ names, words }) => {
        const known = names.flatMap(possible);
        const unknown = words.filter((word) => !known.includes(word));
        if (known.length === 0 || unknown.length === 0) return [];
        const told = names.filter((name) => possible(name).length > 0);
        return {
          at: element,
          problem: `has ${quoted(unknown, 'and')} in ${what}, but ${quoted(told, 'and')} can never be that.`,
          remedy: `Choose from ${quoted([...new Set(known)])}.`,
        };
      });
    });
  },
};

export const mappings: Rule = {
  id: 'mappings',
  demands: 'A mapping goes to a variable that somebody reads, once.',
  inDiagram(diagram, contract) {
    const read = new Set(expressionsOf(diagram, contract).flatMap(({ expression }) => expression.reads));
    return diagram.nodes.flatMap((node) => {
      const job = contract.jobOf(jobTypeOf(node));
      const check = (kind: string, list: { target?: string }[], isRead: (target: string) => boolean) =>
        list.flatMap(({ target = '' }, index) => {
          const again = list.findIndex((other) => other.target === target) < index;
          if (/^[A-Za-z_]\w*$/.test(target) && isRead(target) && !again) return [];
          return {
            at: node,
            problem: again
              ? `has two ${kind} mappings to “${target}”.`
              : `has an ${kind} mapping to “${target}”, which nobody reads.`,
            remedy: again ? 'Delete one of them.' : 'Is the name spelled right? Else delete the mapping.',
          };
        });
      return [
        ...check('input', inputsOf(node), (target) => !job || target in job.input),
        ...check('output', outputsOf(node), (target) => read.has(target) || contract.factsOf(target).length > 0),
      ];
    });
  },
};
