import { basename } from 'node:path';
import type { Rule } from '../rule.ts';

export const fileName: Rule = {
  id: 'file-name',
  demands: 'A process is called like its file, can be run, and the contract says which variables it starts with.',
  inDiagram({ process, file }, { starts }) {
    const name = basename(file, '.bpmn');
    const found = [];
    if (process.id !== name)
      found.push({
        at: process,
        problem: `is called “${process.id}”, but is in a file that is called “${name}”.`,
        remedy: `Name the process’s id “${name}”, or the file “${process.id}.bpmn”; running orders know the process by its id.`,
      });
    if (!process.isExecutable)
      found.push({
        at: process,
        problem: 'is not marked as executable, so the engine would not take it.',
        remedy: 'Click on the empty canvas in Camunda Modeler and tick “Executable”.',
      });
    if (!starts[process.id])
      found.push({
        at: process,
        problem: 'is not known: nobody says which variables it starts with and how it may end.',
        remedy: 'Ask a developer to add it to contract/processes.ts.',
      });
    return found;
  },
};
