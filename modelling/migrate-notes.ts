/** What a migration leaves as it was, or changes in silence: the engine does as it is told, the operator has to know. */
import type { Diagram } from './diagram.ts';
import type { Pairs } from './migrate-plan.ts';
import { fixedOnArrival, hasUndo, messageOf, nameOf } from './migrate-places.ts';

export function notesOf(old: Diagram, next: Diagram, pairs: Pairs): string[] {
  return [...pairs].flatMap(([node, target]) => {
    const [before, after] = [fixedOnArrival(node), fixedOnArrival(target)];
    const [message, newMessage] = [messageOf(node)?.name, messageOf(target)?.name];
    const notes: string[] = [];
    if (before.jobType !== after.jobType)
      notes.push(
        `Orders that stand at ${nameOf(node)} keep their job ${before.jobType} (after the move ${after.jobType} is for those that come later): leave its worker running until they are through.`,
      );
    if (before.timer !== after.timer)
      notes.push(`Orders that wait at ${nameOf(node)} keep the time that they were given.`);
    if (message !== newMessage)
      notes.push(
        `Orders that wait at ${nameOf(node)} listen to “${newMessage}” from then on, no more to “${message}”.`,
      );
    if (!hasUndo(old, node) && hasUndo(next, target))
      notes.push(`Orders that are past ${nameOf(node)} have no undo for it: only those that come to it later.`);
    return notes;
  });
}
