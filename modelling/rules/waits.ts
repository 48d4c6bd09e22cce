import { boundariesOf, type Diagram, type Element, eventOf, isA, isTask, jobTypeOf } from '../diagram.ts';
import { called, type Rule, shortly } from '../rule.ts';
import type { Contract } from '../contract.ts';

const isWaitGateway = isA('EventBasedGateway');
/** The events of which the first decides: on the edge of a box, or behind an event gateway. */
const waysOut = (diagram: Diagram, node: Element) =>
  isWaitGateway(node)
    ? diagram.flows.filter((flow) => flow.sourceRef === node).flatMap((flow) => flow.targetRef ?? [])
    : boundariesOf(diagram, node).filter((event) => event.cancelActivity !== false);

const outside = (diagram: Diagram, contract: Contract) => {
  const types = contract.typesOf(contract.outsideJobs);
  return diagram.nodes.filter((node) => isTask(node) && types.includes(jobTypeOf(node) ?? ''));
};

export const timeLimit: Rule = {
  id: 'time-limit',
  demands: 'Nothing waits for ever: what waits for a message or for the outside world has a time limit.',
  inDiagram(diagram, contract) {
    const behindGateway = diagram.flows
      .filter((flow) => flow.sourceRef && isWaitGateway(flow.sourceRef))
      .map((flow) => flow.targetRef);
    const alone = diagram.nodes.filter(
      (node) => isA('IntermediateCatchEvent')(node) && eventOf(node, 'Message') && !behindGateway.includes(node),
    );
    const waiting = [
      ...diagram.nodes.filter(isWaitGateway),
      ...diagram.nodes.filter(isA('ReceiveTask')),
      ...outside(diagram, contract),
    ];
    return [
      ...waiting
        .filter((node) => !waysOut(diagram, node).some((event) => eventOf(event, 'Timer')))
        .map((node) => ({
          at: node,
          problem: 'has no time limit: if the answer never comes, the order and its tickets wait for ever.',
          remedy: isWaitGateway(node)
            ? `Draw an arrow from ${shortly(node)} to a timer event and say what happens then.`
            : `Put an interrupting timer event on the edge of ${shortly(node)} and say what happens then.`,
        })),
      ...alone.map((node) => ({
        at: node,
        problem: 'waits for a message without a time limit: if it never comes, the order waits for ever.',
        remedy: `Put an event-based gateway before ${shortly(node)}, with a timer event as its other way out.`,
      })),
    ];
  },
};

export const cancelPossible: Rule = {
  id: 'cancel-possible',
  demands: 'While the order waits for its payment its customer can cancel.',
  inDiagram(diagram, contract) {
    const asks = outside(diagram, contract);
    const waiting = asks.length > 0 ? [...asks, ...diagram.nodes.filter(isWaitGateway)] : [];
    return waiting
      .filter(
        (node) =>
          !waysOut(diagram, node).some(
            (event) => eventOf(event, 'Message')?.messageRef?.name === contract.cancelMessage,
          ),
      )
      .map((node) => ({
        at: node,
        problem: `does not listen to the customer’s “${contract.cancelMessage}”: a cancel would be heard only when it is over.`,
        remedy: isWaitGateway(node)
          ? `Draw an arrow from ${shortly(node)} to a message event for “${contract.cancelMessage}”.`
          : `Put an interrupting message event for “${contract.cancelMessage}” on the edge of ${shortly(node)}.`,
      }));
  },
};

/** Seen on the engine: of two messages that are both there, the last arrow of the gateway in the file wins. */
export const cancelLast: Rule = {
  id: 'cancel-last',
  demands: 'The arrow to the cancel is the last one out of its gateway in the file, so that a cancel wins.',
  inDiagram(diagram, { cancelMessage }) {
    return diagram.nodes.filter(isWaitGateway).flatMap((gateway) => {
      const ways = diagram.flows.filter((flow) => flow.sourceRef === gateway);
      const cancel = ways.find(
        (flow) => flow.targetRef && eventOf(flow.targetRef, 'Message')?.messageRef?.name === cancelMessage,
      );
      if (!cancel || cancel === ways.at(-1)) return [];
      return {
        at: gateway,
        problem: `would let another message win over the customer’s cancel when both are there: the engine takes the last arrow in the file, and that leads to ${called(ways.at(-1)?.targetRef)}.`,
        remedy: `Delete the arrow from ${shortly(gateway)} to ${shortly(cancel.targetRef)} and draw it again: the newest arrow comes last.`,
      };
    });
  },
};

export const timers: Rule = {
  id: 'timers',
  demands: 'A timer ends at a moment that the contract knows, or after a fixed time.',
  inDiagram({ nodes }, contract) {
    return nodes.flatMap((node) => {
      const timer = eventOf(node, 'Timer');
      if (!timer) return [];
      const moment = timer.timeDate?.body?.trim();
      const time = timer.timeDuration?.body?.trim();
      const is = (source: string, format: string) =>
        source.startsWith('=') && contract.factsOf(source.slice(1).trim()).some((fact) => fact.format === format);
      if (moment && is(moment, 'date-time')) return [];
      if (time && (/^P(?=.)(\d+D)?(T(?=.)(\d+H)?(\d+M)?(\d+S)?)?$/.test(time) || is(time, 'duration'))) return [];
      return {
        at: node,
        problem: `has the timer “${moment ?? time ?? timer.timeCycle?.body ?? ''}”, which is no moment that the contract knows: the engine would stop the order with an incident, or wait for a wrong time.`,
        remedy:
          'Choose the type “Date” and a moment that a step has set, as “=payBy”, or the type “Duration” and a time as “PT10S”.',
      };
    });
  },
};

export const waitAlone: Rule = {
  id: 'wait-alone',
  demands: 'An event behind an event gateway is reached from that gateway only.',
  inDiagram({ flows, nodes }) {
    const leading = (node: Element) => flows.filter((flow) => flow.targetRef === node);
    return nodes
      .filter(
        (node) =>
          leading(node).length > 1 && leading(node).some(({ sourceRef }) => sourceRef && isWaitGateway(sourceRef)),
      )
      .map((node) => ({
        at: node,
        problem:
          'is one of the events that a gateway waits for, but other arrows lead to it too: there it would be waited for alone.',
        remedy: `Lead the other arrows to the gateway before ${shortly(node)}, or elsewhere.`,
      }));
  },
};
