/** All expressions of a diagram, with where they stand and what they can see. */
import type { Contract } from './contract.ts';
import { type Diagram, type Element, eventOf, inputsOf, outputsOf } from './diagram.ts';
import { type Expression, readExpression } from './feel.ts';
import { inside, type Known, variablesBefore } from './variables.ts';

export type Place = {
  element: Element;
  /** For people: “the condition”, “the output mapping to reasonCode”. */
  what: string;
  source: string | undefined;
  expression: Expression;
  /** The variable that gets the result, if one does. */
  target?: string;
  /** What is there when it is asked; undefined where nothing leads to. */
  sees: Known | undefined;
};

export function expressionsOf(diagram: Diagram, contract: Contract): Place[] {
  const before = variablesBefore(diagram, contract);
  const place = (element: Element, what: string, source: string | undefined, sees?: Known, target?: string): Place => {
    return { element, what, source, expression: readExpression(source), sees, ...(target && { target }) };
  };
  const conditions = diagram.flows
    .filter((flow) => flow.conditionExpression)
    .map((flow) =>
      place(flow, 'the condition', flow.conditionExpression?.body, flow.sourceRef && before.get(flow.sourceRef)),
    );
  const others = diagram.nodes.flatMap((node) => {
    const now = before.get(node);
    const within = now && inside(node, now, contract);
    const timer = eventOf(node, 'Timer');
    const date = timer?.timeDate?.body;
    const duration = timer?.timeDuration?.body;
    return [
      ...inputsOf(node).map((it) => place(node, `the input mapping to “${it.target}”`, it.source, now, it.target)),
      ...outputsOf(node).map((it) =>
        place(node, `the output mapping to “${it.target}”`, it.source, within?.output, it.target),
      ),
      ...(date ? [place(node, 'the timer', date, now)] : []),
      ...(duration?.startsWith('=') ? [place(node, 'the timer', duration, now)] : []),
    ];
  });
  return [...conditions, ...others];
}
