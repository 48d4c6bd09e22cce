import { isA } from '../diagram.ts';
import { kindOf, type Rule } from '../rule.ts';

const words = /^([A-Z][a-z0-9]*)+$/;
/** What Camunda Modeler gives to a new element, as Activity_0x1y2z3. */
const generated =
  /^(Activity|Event|Gateway|Flow|SequenceFlow|Task|Process|StartEvent|EndEvent|Association|BoundaryEvent)_/;

export const idsTell: Rule = {
  id: 'ids-tell',
  demands: 'Every id is there once and is made of words that say what the element does.',
  inDiagram({ elements, xml }) {
    const all = [...xml.matchAll(/<bpmn:[^>]*?\sid="([^"]*)"/g)].map((match) => match[1] ?? '');
    const twice = new Set(all.filter((id, index) => all.indexOf(id) !== index));
    const mute = elements.filter(({ id, ...element }) => {
      if (generated.test(id)) return true;
      return isA('SequenceFlow')({ id, ...element })
        ? !id.split('_').every((part) => words.test(part))
        : !words.test(id);
    });
    return [
      ...[...twice].map((id) => ({
        at: elements.find((element) => element.id === id) ?? `The id “${id}”`,
        problem: `shares its id “${id}” with another element.`,
        remedy: 'Give one of them an id of its own.',
      })),
      ...mute.map((element) => ({
        at: element,
        problem: `has the id “${element.id}”, which says nothing to those who read logs, timelines and Operate.`,
        remedy: isA('SequenceFlow')(element)
          ? `Give the ${kindOf(element)} the id “${element.sourceRef?.id ?? 'From'}_${element.targetRef?.id ?? 'To'}”.`
          : `Give the ${kindOf(element)} an id of words that begin with capitals, as “ReserveTickets”${suggestion(element.name)}.`,
      })),
    ];
  },
};

function suggestion(name: string | undefined): string {
  const said = (name ?? '')
    .replace(/[^A-Za-z0-9 ]/g, '')
    .split(' ')
    .filter(Boolean);
  const id = said.map((word) => word.charAt(0).toUpperCase() + word.slice(1).toLowerCase()).join('');
  return words.test(id) ? `: “${id}”` : '';
}
