import { isA } from '../diagram.ts';
import type { Rule } from '../rule.ts';

export const drawn: Rule = {
  id: 'drawn',
  demands: 'Every element has a shape and every arrow a line, so that Operate and Modeler show it.',
  inDiagram({ elements, process, definitions }) {
    const pictures = definitions.diagrams?.flatMap(({ plane }) => plane?.planeElement ?? []) ?? [];
    const isLine = isA(/SequenceFlow|Association/);
    return [...elements, ...(process.artifacts ?? [])]
      .filter(
        (element) =>
          !pictures.some((it) => it.bpmnElement === element && isLine(element) === it.$type.endsWith('BPMNEdge')),
      )
      .map((element) => ({
        at: element,
        problem: `is not drawn: it has no ${isLine(element) ? 'line' : 'shape'}, but the engine would run it.`,
        remedy: 'Delete it from the file, or draw it again in Camunda Modeler.',
      }));
  },
};
