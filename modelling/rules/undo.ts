import { boundariesOf, compensations, eventOf, isA, isEventSubprocess, jobTypeOf } from '../diagram.ts';
import { called, quoted, type Rule, shortly } from '../rule.ts';

export const undoConnected: Rule = {
  id: 'undo-connected',
  demands: 'An undo event leads to an undo step, whose job is declared as the undo of that step.',
  inDiagram(diagram, { jobOf }) {
    const pairs = compensations(diagram);
    const events = diagram.nodes.filter((node) => node.attachedToRef && eventOf(node, 'Compensate'));
    const steps = diagram.nodes.filter((node) => node.isForCompensation);
    return [
      ...events
        .filter((event) => !pairs.some((pair) => pair.boundary === event && pair.handler.isForCompensation))
        .map((event) => ({
          at: event,
          problem: `says that ${called(event.attachedToRef)} can be undone, but no undo step is connected to it.`,
          remedy: `Draw a dotted line from ${shortly(event)} to the task that undoes ${shortly(event.attachedToRef)}.`,
        })),
      ...steps
        .filter((step) => !pairs.some((pair) => pair.handler === step))
        .map((step) => ({
          at: step,
          problem: 'is an undo step, but nothing leads to it: it would never be done.',
          remedy: `Put a compensation event on the edge of the task that ${shortly(step)} undoes, and draw a dotted line from it.`,
        })),
      ...pairs.flatMap(({ task, handler }) => {
        const job = jobOf(jobTypeOf(handler));
        if (!job || job.undo?.includes(task.id)) return [];
        return {
          at: handler,
          problem: `has the job “${job.type}”, which is not declared as an undo of ${called(task)}.`,
          remedy: `Choose the job that undoes ${shortly(task)}, or ask a developer to add “${task.id}” to its undo in contract/jobs.ts.`,
        };
      }),
    ];
  },
};

/** Seen on the engine: a throw for an interrupted task passes without a word, though its worker may have had its effect. */
export const undoReaches: Rule = {
  id: 'undo-reaches',
  demands: 'An undo is asked for a step that has one, and that nothing but an error can interrupt.',
  inDiagram(diagram) {
    const pairs = compensations(diagram);
    return diagram.nodes
      .filter((node) => !node.attachedToRef && eventOf(node, 'Compensate'))
      .flatMap((thrower) => {
        const aim = eventOf(thrower, 'Compensate')?.activityRef;
        const aims = aim ? [aim] : [...new Set(pairs.map(({ task }) => task))];
        if (aims.length === 0 || (aim && !pairs.some(({ task }) => task === aim)))
          return [
            {
              at: thrower,
              problem: aim
                ? `is to undo ${called(aim)}, which has no undo step.`
                : 'is to undo what was done, but no task has an undo step.',
              remedy: 'Choose a task with an undo step, or give that task one.',
            },
          ];
        return aims.flatMap((task) => {
          const breaks = boundariesOf(diagram, task).filter(
            (event) => event.cancelActivity !== false && (eventOf(event, 'Timer') ?? eventOf(event, 'Message')),
          );
          if (breaks.length === 0) return [];
          return {
            at: thrower,
            problem: `is to undo ${called(task)}, but ${quoted(breaks.map((event) => event.name ?? event.id))} can interrupt that task: the engine then skips the undo without a word.`,
            remedy: 'Undo it by a plain task instead, which does no harm when there is nothing to undo.',
          };
        });
      });
  },
};

/** The rule “settled” knows of a forgotten undo only what the duties say. */
export const undoOwed: Rule = {
  id: 'undo-owed',
  demands: 'The contract says of every step that can be undone what it owes: its undo, or what makes it stay.',
  inDiagram(diagram, { jobs, jobOf, duties, typesOf }) {
    const owing = typesOf(duties.map(({ after }) => after));
    const undone = new Set(jobs.flatMap((job) => job.undo ?? []));
    return diagram.nodes
      .filter((node) => undone.has(node.id) || compensations(diagram).some(({ task }) => task === node))
      .filter((node) => jobOf(jobTypeOf(node)) && !owing.includes(jobTypeOf(node) ?? ''))
      .map((node) => ({
        at: node,
        problem: `can be undone, but nobody says that its job “${jobTypeOf(node)}” owes anything: a way out that forgets the undo would not be noticed.`,
        remedy: 'Ask a developer to add the job to the duties in contract/processes.ts.',
      }));
  },
};

export const associationsLast: Rule = {
  id: 'associations-last',
  demands: 'Dotted lines to undo steps come last in the file: the engine does not know the steps before.',
  inDiagram({ xml, process }) {
    const [, inside = ''] = /<bpmn:process[^>]*>([\s\S]*)<\/bpmn:process>/.exec(xml) ?? [];
    const first = inside.search(/<bpmn:association\b/);
    const after = first < 0 ? '' : inside.slice(first);
    if (!/<bpmn:(sequenceFlow|\w+(Task|Event|Gateway)|subProcess)\b/.test(after)) return [];
    return [
      {
        at: process.artifacts?.find(isA('Association')) ?? 'A dotted line to an undo step',
        problem: 'stands before other elements in the file, and the engine refuses or loses the undo.',
        remedy:
          'Open the diagram in Camunda Modeler and save it, or move the line <bpmn:association> behind the last <bpmn:sequenceFlow>.',
      },
    ];
  },
};

export const abort: Rule = {
  id: 'abort',
  demands: 'A process that holds tickets or money can be aborted, by plain undo steps, where the contract says so.',
  inDiagram({ nodes, process }, { abortMessage, duties, typesOf, isAbortable }) {
    const holds = nodes.find((node) => typesOf(duties.map(({ after }) => after)).includes(jobTypeOf(node) ?? ''));
    const scopes = nodes.filter(isEventSubprocess);
    const startOf = (scope: (typeof nodes)[number]) => scope.flowElements?.find(isA('StartEvent'));
    const aborts = scopes.filter((scope) => {
      const start = startOf(scope);
      return start && scope.$parent === process && eventOf(start, 'Message')?.messageRef?.name === abortMessage;
    });
    const found = [];
    if (!isAbortable(process.id))
      return aborts.map((scope) => ({
        at: scope,
        problem: `listens to “${abortMessage}”, but an abort of the order itself is kept for days and would end this process too.`,
        remedy: 'Delete the event subprocess: this process settles what it holds by itself.',
      }));
    if (holds && aborts.length === 0)
      found.push({
        at: holds,
        problem: `holds something for the order, but this process cannot be aborted: no event subprocess listens to “${abortMessage}”.`,
        remedy: `Add an event subprocess that starts with the message “${abortMessage}” and undoes by plain tasks what may have been done, as in “ticket-order”.`,
      });
    for (const scope of aborts) {
      const start = startOf(scope);
      if (start?.isInterrupting === false)
        found.push({
          at: start,
          problem: 'does not interrupt the process, so the order would go on while it is undone.',
          remedy: 'Make it an interrupting start event (a solid circle).',
        });
      const lost = scope.flowElements?.filter((it) => it.isForCompensation ?? eventOf(it, 'Compensate')) ?? [];
      for (const step of lost)
        found.push({
          at: step,
          problem: 'is part of an abort, but an undo that was running when the abort came would be lost.',
          remedy: 'Use a plain task with the undo’s job type instead.',
        });
    }
    return found;
  },
};
