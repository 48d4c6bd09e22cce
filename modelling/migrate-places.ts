/** What the engine looks at in a diagram when it migrates a token. */
import { boundariesOf, type Diagram, type Element, eventOf, isA, isEventSubprocess, jobTypeOf } from './diagram.ts';

const kinds = ['Message', 'Timer', 'Signal', 'Error', 'Escalation', 'Compensate', 'Link', 'Terminate', 'Conditional'];

/** `Message`, `Timer` … of an event, undefined of anything else. */
export const kindOf = (element: Element) => kinds.find((kind) => eventOf(element, kind));

/** The type as people call it: `service task`, `message boundary event`. */
export function typeName(element: Element): string {
  const words = element.$type.replace('bpmn:', '').replaceAll(/([a-z])([A-Z])/g, '$1 $2');
  const kind = kindOf(element)?.replace('Compensate', 'Compensation') ?? '';
  return `${kind} ${isEventSubprocess(element) ? 'event ' : ''}${words}`.trim().toLowerCase();
}

export const nameOf = (element: Element) => `“${element.name ?? element.id}”`;

export const messageOf = (event: Element) => eventOf(event, 'Message')?.messageRef;

/** The events that a token which stands in `place` listens to; not those of the scopes around it. */
export function listensTo(diagram: Diagram, place: Element): Element[] {
  const after = isA('EventBasedGateway')(place)
    ? diagram.flows.flatMap(({ sourceRef, targetRef }) => (sourceRef === place && targetRef ? [targetRef] : []))
    : [];
  const starts = diagram.nodes.filter(
    (node) => isA('StartEvent')(node) && isEventSubprocess(node.$parent) && node.$parent?.$parent === place,
  );
  return [...boundariesOf(diagram, place), ...after, ...starts].filter((event) =>
    ['Message', 'Timer', 'Signal'].includes(kindOf(event) ?? ''),
  );
}

/** Read from engine 8.6.0's own list; tried: throw events and the undo that they wait for are refused with code 9. */
const movable =
  /^bpmn:((Service|Send|Script|BusinessRule|User|Receive)Task|SubProcess|CallActivity|ExclusiveGateway|EventBasedGateway)$/;

export function isMovable(place: Element): boolean {
  if (isA('IntermediateCatchEvent')(place)) return ['Message', 'Timer', 'Signal'].includes(kindOf(place) ?? '');
  return movable.test(place.$type);
}

export const hasUndo = (diagram: Diagram, task: Element) =>
  boundariesOf(diagram, task).some((event) => eventOf(event, 'Compensate'));

/** What is fixed when a token arrives and stays as it is when the token is migrated. */
export const fixedOnArrival = (element: Element) => {
  const timer = eventOf(element, 'Timer');
  return {
    jobType: jobTypeOf(element),
    timer: timer?.timeDate?.body ?? timer?.timeDuration?.body ?? timer?.timeCycle?.body,
  };
};
