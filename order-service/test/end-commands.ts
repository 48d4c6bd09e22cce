/** All that ends an order, or tries to, made up by fast-check: with repeats, and with instances that have no say. */
import type { ReasonCode } from '@ticket-saga/contract/errors';
import fc from 'fast-check';

/** A job of the process instance `by`; the same `run` twice is a repeat of it. */
type Run = { by: string; run: string };
export type Money = 'REQUESTED' | 'APPROVED' | 'DECLINED' | 'VOIDED' | 'LATE';
export type Command =
  | ({ do: 'complete' | 'stop' | 'check' | 'reinstate' | 'note refund' | 'start refund' } & Run)
  | ({ do: 'reject' | 'close'; why: ReasonCode } & Run)
  /** Its customer asks to cancel. */
  | { do: 'cancel' }
  /** It is heard that an undo of `by` has begun. */
  | ({ do: 'hear of undo' } & Run)
  /** It is heard how the payment stands, since `at` (in any order). */
  | { do: 'hear of money'; money: Money; at: number };

const run = fc.constantFrom('1', '2');
/** `stranger` is a second process instance for the order, which was refused at its first step. */
const saga = { by: fc.constantFrom('saga', 'saga', 'stranger'), run };
const late = { by: fc.constantFrom('late', 'late', 'later'), run };
const refund = { by: fc.constantFrom('refund', 'refund', 'refund-too'), run };
const word = <T extends string>(...words: T[]) => fc.constantFrom(...words);

const end = fc.record({ do: word('complete', 'complete', 'stop'), ...saga });
const reject = fc.record({ do: word('reject'), why: word('SOLD_OUT', 'ORDER_EXPIRED'), ...saga });
const close = fc.record({
  do: word('close'),
  why: word('PAYMENT_TIMEOUT', 'PAYMENT_DECLINED', 'CANCELLED_BY_CUSTOMER', 'ABORTED_BY_OPERATOR'),
  ...saga,
});
const endRefund = fc.record({ do: word('close'), why: word('REFUNDED_BY_OPERATOR'), ...refund });
const lately = fc.record({ do: word('check', 'reinstate', 'reinstate', 'note refund'), ...late });
const startRefund = fc.record({ do: word('start refund'), ...refund });
const undo = fc.record({ do: word('hear of undo'), ...saga });
const money = fc.record({
  do: word('hear of money'),
  money: word('REQUESTED', 'APPROVED', 'DECLINED', 'VOIDED', 'LATE'),
  at: fc.nat(5),
});

export const command: fc.Arbitrary<Command> = fc.oneof(
  { weight: 4, arbitrary: end },
  { weight: 1, arbitrary: reject },
  { weight: 4, arbitrary: close },
  { weight: 1, arbitrary: fc.record({ do: word('cancel') }) },
  { weight: 4, arbitrary: lately },
  { weight: 3, arbitrary: startRefund },
  { weight: 2, arbitrary: endRefund },
  { weight: 1, arbitrary: undo },
  { weight: 2, arbitrary: money },
);

const timedOut: Command = { do: 'close', why: 'PAYMENT_TIMEOUT', by: 'saga', run: '1' };
const stopped: Command = { do: 'stop', by: 'saga', run: '1' };
const completed: Command = { do: 'complete', by: 'saga', run: '1' };
const reinstated: Command = { do: 'reinstate', by: 'late', run: '1' };
const refunding: Command = { do: 'start refund', by: 'refund', run: '1' };
/** How far the order has come: chance alone seldom gets to its late ends. */
export const beginning = fc.constantFrom<Command[][]>(
  [],
  [],
  [timedOut],
  [completed],
  [stopped, timedOut],
  [timedOut, reinstated],
  [completed, refunding],
  [timedOut, reinstated, refunding],
);
