/** All rules, in the order in which their findings help most: a broken file first, then what follows from it. */
import type { Rule } from '../rule.ts';
import { arrowEnds, leadsOn, reachable } from './arrows.ts';
import { documented } from './documented.ts';
import { drawn } from './drawn.ts';
import { errorMappedOut, errorNames, errorsOffered, errorsCaught, errorsThrown, handsOff } from './errors.ts';
import { expressionReads, inputsThere, mappings, variablesThere, wordsKnown } from './expressions.ts';
import { fileName } from './file-name.ts';
import { decides, joins, noLoop } from './gateways.ts';
import { idsTell } from './ids-tell.ts';
import { jobKnown, jobServed, jobUsed, retries, sameNameSameJob } from './jobs.ts';
import { lint } from './lint.ts';
import { messageKey, messageKnown, messageUsed } from './messages.ts';
import { named } from './named.ts';
import { approvedFirst, approvedServed, deadlineAsks, neverAfter, stepsInOrder } from './order-of-steps.ts';
import { reasonComplete, reasonFits } from './reasons.ts';
import { orderClosed, settled } from './settled.ts';
import { stepsApart, timelineKnows } from './timeline.ts';
import { readable } from './readable.ts';
import { abort, associationsLast, undoConnected, undoOwed, undoReaches } from './undo.ts';
import { cancelLast, cancelPossible, timeLimit, timers, waitAlone } from './waits.ts';

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
  sameNameSameJob,
  errorsCaught,
  errorsThrown,
  errorNames,
  errorsOffered,
  handsOff,
  errorMappedOut,
  reasonComplete,
  reasonFits,
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
  waitAlone,
  cancelPossible,
  cancelLast,
  timers,
  undoConnected,
  undoReaches,
  undoOwed,
  associationsLast,
  abort,
  settled,
  orderClosed,
  stepsInOrder,
  neverAfter,
  deadlineAsks,
  approvedFirst,
  approvedServed,
  timelineKnows,
  stepsApart,
  lint,
];
