import { boundariesOf, type Diagram, type Element, eventOf, isA, isTask, jobTypeOf, outputsOf } from '../diagram.ts';
import { edgesFrom, follow } from '../graph.ts';
import { called, quoted, type Rule, shortly } from '../rule.ts';

const errorEvents = (diagram: Diagram, task: Element) =>
  boundariesOf(diagram, task).filter((event) => eventOf(event, 'Error'));
/** The code that an event waits for; undefined for one that catches all. */
const codeOf = (event: Element) => {
  const error = eventOf(event, 'Error');
  return error?.errorRef ? (error.errorRef.errorCode ?? '') : undefined;
};

export const errorsCaught: Rule = {
  id: 'errors-caught',
  demands: 'Every error that a task’s job may report is caught on the task.',
  inDiagram(diagram, { jobOf }) {
    return diagram.nodes.filter(isTask).flatMap((task) => {
      const codes = errorEvents(diagram, task).map(codeOf);
      const missed = (jobOf(jobTypeOf(task))?.errors ?? []).filter((code) => !codes.includes(code));
      if (missed.length === 0 || codes.includes(undefined)) return [];
      return {
        at: task,
        problem: `may report ${quoted(missed, 'and')}, but no event on its edge catches that: the order would get stuck.`,
        remedy: `Put an error event on the edge of ${shortly(task)} for ${quoted(missed, 'and')} (or one without a code, which catches all), and draw what follows.`,
      };
    });
  },
};

export const errorsThrown: Rule = {
  id: 'errors-thrown',
  demands: 'An error event waits for a code that its task’s job can report, and each code is caught once.',
  inDiagram(diagram, { jobOf, errors }) {
    return diagram.nodes.flatMap((task) => {
      const job = jobOf(jobTypeOf(task));
      const possible: readonly string[] = isTask(task) ? (job?.errors ?? []) : errors;
      const events = errorEvents(diagram, task);
      return events.flatMap((event, index) => {
        const code = codeOf(event);
        const known = code === undefined ? possible.length > 0 : possible.includes(code);
        const again = events.findIndex((other) => codeOf(other) === code) < index;
        if (known && !again) return [];
        const may = possible.length > 0 ? `only ${quoted(possible, 'and')}` : 'no error at all';
        return {
          at: event,
          problem: again
            ? `waits for ${code ? `“${code}”` : 'every error'}, but another event on ${shortly(task)} does so already.`
            : `waits for ${code === undefined ? 'errors' : `“${code}”`}, but ${called(task)} reports ${may}: nothing would ever come this way.`,
          remedy: again ? 'Delete one of them.' : 'Choose a code that the task can report, or delete the event.',
        };
      });
    });
  },
};

export const errorNames: Rule = {
  id: 'error-names',
  demands: 'An error is not called by the code of another.',
  inDiagram({ definitions }, { errors }) {
    return (definitions.rootElements ?? [])
      .filter((it) => isA('Error')(it) && it.name !== it.errorCode && errors.includes(it.name ?? ''))
      .map((it) => ({
        at: it,
        problem: `is called by one code, but its code is “${it.errorCode ?? ''}”: whoever chooses it by its name gets another.`,
        remedy: 'Give the error its code as its name.',
      }));
  },
};

export const errorsOffered: Rule = {
  id: 'errors-offered',
  demands: 'Every error that a job of the diagram may report is declared in the file, so that Modeler offers it.',
  inDiagram({ definitions, nodes }, { jobOf }) {
    const declared = (definitions.rootElements ?? []).filter(isA('Error')).map(({ errorCode }) => errorCode);
    const possible = nodes.filter(isTask).flatMap((task) => jobOf(jobTypeOf(task))?.errors ?? []);
    const missing = [...new Set<string>(possible)].filter((code) => !declared.includes(code));
    if (missing.length === 0) return [];
    return [
      {
        at: 'The file',
        problem: `does not offer ${quoted(missing, 'and')}, which a task of it may report: nobody can choose it for an error event.`,
        remedy:
          'In Modeler, create an error with that name and code at any error event (Global error reference), then choose back.',
      },
    ];
  },
};

export const handsOff: Rule = {
  id: 'hands-off',
  demands: 'Where an order belongs to another process or has ended, the process ends without doing anything.',
  inDiagram(diagram, { jobOf, handsOff: codes }) {
    return diagram.nodes.filter(isTask).flatMap((task) => {
      const own = (jobOf(jobTypeOf(task))?.errors ?? []).filter((code) => codes.includes(code));
      return own.flatMap((code) => {
        const events = errorEvents(diagram, task);
        const event = events.find((it) => codeOf(it) === code);
        if (!event && events.length > 0)
          return {
            at: task,
            problem: `has no event of its own for “${code}”, so the event that catches all takes it and acts on an order that is not its to touch.`,
            remedy: `Put an error event for “${code}” on the edge of ${shortly(task)} and lead it straight to an end event.`,
          };
        if (!event) return [];
        const reached = follow(diagram, edgesFrom(diagram, event), () => false);
        const acts = [...reached.keys()].find((node) => jobTypeOf(node) || eventOf(node, 'Compensate'));
        if (!acts) return [];
        return {
          at: event,
          problem: `means that this process must not touch the order, but it goes on to ${called(acts)}.`,
          remedy: `Lead ${shortly(event)} straight to an end event.`,
        };
      });
    });
  },
};

/** The engine drops the variables of an error unless they are mapped out on the event that catches it. */
export const errorMappedOut: Rule = {
  id: 'error-mapped-out',
  demands: 'An error event hands on the reason, where a later step wants to know it.',
  inDiagram(diagram, { jobOf }) {
    const sets = (node: Element, name: string) => outputsOf(node).some(({ target }) => target === name);
    return diagram.nodes
      .filter((node) => node.attachedToRef && eventOf(node, 'Error'))
      .flatMap((event) =>
        ['reasonCode', 'reasonMessage'].flatMap((name) => {
          if (sets(event, name)) return [];
          const reached = follow(diagram, edgesFrom(diagram, event), ({ from }) => from !== event && sets(from, name));
          const reader = [...reached.keys()].find((node) => jobOf(jobTypeOf(node))?.input[name]);
          if (!reader) return [];
          return {
            at: event,
            problem: `does not hand on “${name}”, which ${called(reader)} needs: the reason of this error would be lost, or an older one told.`,
            remedy: `Add an output mapping to ${shortly(event)}: the variable “${name}” from “=${name}”.`,
          };
        }),
      );
  },
};
