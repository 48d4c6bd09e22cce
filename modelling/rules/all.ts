/** All rules, in the order in which their findings help most: a broken file first, then what follows from it. */
import type { Rule } from '../rule.ts';
import { arrowEnds, leadsOn, reachable } from './arrows.ts';
import { documented } from './documented.ts';
import { drawn } from './drawn.ts';
import { errorMappedOut, errorsCaught, errorsThrown, handsOff, reasonComplete } from './errors.ts';
import { expressionReads, inputsThere, mappings, variablesThere, wordsKnown } from './expressions.ts';
import { fileName } from './file-name.ts';
import { decides, joins, noLoop } from './gateways.ts';
import { idsTell } from './ids-tell.ts';
import { jobKnown, jobServed, jobUsed, retries } from './jobs.ts';
import { lint } from './lint.ts';
import { messageKey, messageKnown, messageUsed } from './messages.ts';
import { named } from './named.ts';
import { approvedFirst, orderClosed, settled, stepsInOrder, timelineKnows } from './paths.ts';
import { readable } from './readable.ts';
import { abort, associationsLast, undoConnected, undoReaches } from './undo.ts';
import { cancelLast, cancelPossible, timeLimit, timers } from './waits.ts';

export const rules: readonly Rule[] = [
  readable,
  fileName,
  idsTell,
  named,
  documented,
  drawn,
  arrowEnds,
  reachable,
  leadsOn,
  jobKnown,
  jobServed,
  jobUsed,
  retries,
  errorsCaught,
  errorsThrown,
  handsOff,
  errorMappedOut,
  reasonComplete,
  messageKnown,
  messageKey,
  messageUsed,
  expressionReads,
  variablesThere,
  inputsThere,
  wordsKnown,
  mappings,
  decides,
  joins,
  noLoop,
  timeLimit,
  cancelPossible,
  cancelLast,
  timers,
  undoConnected,
  undoReaches,
  associationsLast,
  abort,
  settled,
  orderClosed,
  stepsInOrder,
  approvedFirst,
  timelineKnows,
  lint,
];
