import { type Diagram, eventOf } from '../diagram.ts';
import type { Process } from '@ticket-saga/contract/processes';
import type { Contract } from '../contract.ts';
import { type Edge, edgesFrom, edgesOf, follow, followFromStarts } from '../graph.ts';
import { called, quoted, type Rule, shortly, way } from '../rule.ts';
import { does, isEnd, labels } from '../ways.ts';

export const stepsInOrder: Rule = {
  id: 'steps-in-order',
  demands: 'A step comes after those that it builds on.',
  inDiagram(diagram, contract) {
    return contract.preconditions.flatMap(({ before, done, otherwise }) => {
      const isDone = does(diagram, contract.typesOf([done]));
      const early = followFromStarts(diagram, (edge) => edge.kind === 'done' && isDone(edge.from));
      return [...early]
        .filter(([node]) => does(diagram, contract.typesOf([before]))(node))
        .map(([node, path]) => ({
          at: node,
          problem: `can be reached without ${labels(diagram, contract.typesOf([done]))}: ${otherwise}. The way: ${way(path)}.`,
          remedy: `Lead this way through ${labels(diagram, contract.typesOf([done]))} first.`,
        }));
    });
  },
};

/** Does the element do this job of the contract? */
const doing = (diagram: Diagram, { typesOf }: Contract, job: string) => does(diagram, typesOf([job]));

export const neverAfter: Rule = {
  id: 'never-after',
  demands: 'A step that fits only an untouched order does not come after others.',
  inDiagram(diagram, contract) {
    return contract.exclusions.flatMap(({ after, never, otherwise }) => {
      const done = edgesOf(diagram).filter(
        ({ from, kind }) => kind === 'done' && doing(diagram, contract, after)(from),
      );
      const aborts = diagram.nodes.filter((node) => node.$parent?.triggeredByEvent && node.$type === 'bpmn:StartEvent');
      const begins = done.length > 0 ? [...done, ...aborts.flatMap((start) => edgesFrom(diagram, start))] : [];
      return [...follow(diagram, begins, () => false)]
        .filter(([node]) => doing(diagram, contract, never)(node))
        .map(([node, path]) => ({
          at: node,
          problem: `has the job ${quoted(contract.typesOf([never]))}, but comes after ${labels(diagram, contract.typesOf([after]))}: ${otherwise}. The way: ${way(path)}.`,
          remedy: 'Choose the job that closes an undone order, or lead this way elsewhere.',
        }));
    });
  },
};

/** Seen on the engine: after an outage the time limit wins over an approval that was there all along. */
export const deadlineAsks: Rule = {
  id: 'deadline-asks',
  demands: 'When a time limit is over the provider is asked before the payment is undone.',
  inDiagram(diagram, contract) {
    return contract.deadlines.flatMap(({ before, ask, otherwise }) =>
      diagram.nodes
        .filter((node) => eventOf(node, 'Timer'))
        .flatMap((timer) => {
          const asked = (edge: Edge) => edge.kind === 'done' && doing(diagram, contract, ask)(edge.from);
          return [...follow(diagram, edgesFrom(diagram, timer), asked)]
            .filter(([node]) => doing(diagram, contract, before)(node))
            .map(([node, path]) => ({
              at: timer,
              problem: `leads to ${called(node)} without ${labels(diagram, contract.typesOf([ask]))}, and ${otherwise}. The way: ${way(path)}.`,
              remedy: `Lead ${shortly(timer)} to a task with the job ${quoted(contract.typesOf([ask]))} first.`,
            }));
        }),
    );
  },
};

/** “paymentOutcome = "APPROVED"”, however it is spaced. */
const isApproval =
  ({ variable, value }: Process['approvals'][number]) =>
  ({ flow }: Edge) =>
    flow?.conditionExpression?.body?.replace(/\s/g, '') === `=${variable}="${value}"`;

export const approvedFirst: Rule = {
  id: 'approved-first',
  demands: 'Tickets are sold only behind a decision that the payment was approved.',
  inDiagram(diagram, contract) {
    return contract.approvalsOf(diagram.process.id).flatMap((approval) => {
      const { before, variable, value, otherwise } = approval;
      const approved = isApproval(approval);
      return [...followFromStarts(diagram, approved)]
        .filter(([node]) => does(diagram, contract.typesOf([before]))(node))
        .map(([node, path]) => ({
          at: node,
          problem: `can be reached without a decision whose condition is “=${variable} = "${value}"”: ${otherwise}. The way: ${way(path)}.`,
          remedy: `Put an exclusive gateway before ${shortly(node)} and that condition on the arrow which leads there.`,
        }));
    });
  },
};

export const approvedServed: Rule = {
  id: 'approved-served',
  demands: 'Who has paid gets the tickets, wherever the approval is noticed.',
  inDiagram(diagram, contract) {
    return contract.approvalsOf(diagram.process.id).flatMap((approval) => {
      const serves = doing(diagram, contract, approval.before);
      return edgesOf(diagram)
        .filter(isApproval(approval))
        .flatMap((edge) => {
          const unserved = [...follow(diagram, [edge], ({ from }) => serves(from))].find(([node]) => isEnd(node));
          if (!unserved || !edge.flow) return [];
          return {
            at: edge.flow,
            problem: `is taken when the payment was approved, but need not come to ${labels(diagram, contract.typesOf([approval.before]))}. The way: ${way(unserved[1])}.`,
            remedy: `Lead it to ${labels(diagram, contract.typesOf([approval.before]))}.`,
          };
        });
    });
  },
};
