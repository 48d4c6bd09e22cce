import type { Rule } from '../rule.ts';
import { isA } from '../diagram.ts';

export const readable: Rule = {
  id: 'readable',
  demands: 'The file is read without a warning, holds one process, and would be saved as it is.',
  inDiagram({ warnings, written, xml, definitions }) {
    const processes = definitions.rootElements?.filter(isA('Process')) ?? [];
    return [
      ...warnings.map((warning) => ({
        at: 'The file',
        problem: `is not in order: ${warning.split('\n')[0]}.`,
        remedy:
          'Something refers to what is not there, or stands twice; open the file in Camunda Modeler and set it right.',
      })),
      ...(processes.length > 1
        ? [{ at: 'The file', problem: 'holds more than one process.', remedy: 'Give each process a file of its own.' }]
        : []),
      ...(warnings.length === 0 && written !== xml
        ? [
            {
              at: 'The file',
              problem:
                'is not written the way Camunda Modeler writes it, so its next save would change lines that nobody touched.',
              remedy: 'Open it in Camunda Modeler and save it once.',
            },
          ]
        : []),
    ];
  },
};
