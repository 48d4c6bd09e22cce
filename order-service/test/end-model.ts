/** How an order ends, as ARCHITECTURE 5 and decision 12 tell it, as a plain object: the yardstick of the property test. */
import { type HistoryState, isFinal, type OrderStatus, type PaymentState } from '@ticket-saga/contract/states';
import type { ReasonCode } from '@ticket-saga/contract/errors';
import type { Command, Money } from './end-commands.ts';

export const units = 2;

export type Model = {
  status: OrderStatus;
  reason: ReasonCode | null;
  cancelRequested: boolean;
  stopped: boolean;
  reinstatedBy: string | null;
  refundBy: string | null;
  /** Shown to its customer while it is confirmed, and kept when it is refunded. */
  codes: number;
  money: PaymentState | null;
  /** Since when; what order-service itself notes comes after all that is heard. */
  moneyAt: number;
  /** A fact, with the moment that was heard where there is one. */
  history: string[];
  /** What the timeline heard: `by:step:run:outcome`. */
  steps: string[];
};

export const placed = (): Model => ({
  status: 'PENDING',
  reason: null,
  cancelRequested: false,
  stopped: false,
  reinstatedBy: null,
  refundBy: null,
  codes: 0,
  money: null,
  moneyAt: -1,
  history: [],
  steps: [],
});

/** The ways of an order's status. A final one is left by a refund and by late money only. */
export const ways: Record<OrderStatus, OrderStatus[]> = {
  PENDING: ['AWAITING_PAYMENT', 'COMPENSATING', 'CONFIRMED', 'REJECTED', 'PAYMENT_NOT_COMPLETED', 'CANCELLED'],
  AWAITING_PAYMENT: ['COMPENSATING', 'CONFIRMED', 'REJECTED', 'PAYMENT_NOT_COMPLETED', 'CANCELLED'],
  COMPENSATING: ['CONFIRMED', 'REJECTED', 'PAYMENT_NOT_COMPLETED', 'CANCELLED', 'REFUNDED'],
  CONFIRMED: ['COMPENSATING'],
  REJECTED: [],
  PAYMENT_NOT_COMPLETED: ['CONFIRMED'],
  CANCELLED: [],
  REFUNDED: [],
};

export const historyOf = {
  REQUESTED: 'PAYMENT_CREATED',
  APPROVED: 'PAYMENT_COMPLETED',
  DECLINED: 'PAYMENT_FAILED',
  VOIDED: 'PAYMENT_VOIDED',
  LATE: 'PAYMENT_LATE',
} as const satisfies Record<Money, HistoryState>;

export const elementOf = {
  complete: 'CompleteOrder',
  reject: 'RejectOrder',
  close: 'CloseOrder',
  stop: 'StopOrder',
  check: 'CheckLatePayment',
  reinstate: 'ReinstateOrder',
  'note refund': 'NoteRefund',
  'start refund': 'StartRefund',
  'hear of undo': 'ReleaseTickets',
} as const;

/** Changes `model` as the command does, and returns what it answers: `ok` with what it says, or the code of its failure. */
export function apply(model: Model, command: Command): string {
  const answer = perform(model, command);
  if (!('run' in command)) return answer;
  const outcome = answer.startsWith('ok') ? 'COMPLETED' : 'FAILED';
  const step = `${command.by}:${elementOf[command.do]}:${command.run}:${outcome}`;
  if (!model.steps.includes(step)) model.steps.push(step);
  return answer;
}

function perform(model: Model, command: Command): string {
  const isOpen = !isFinal(model.status) && model.refundBy === null;
  switch (command.do) {
    case 'complete':
      if (isOpen && !model.stopped && !model.cancelRequested) confirm(model, 'ORDER_CONFIRMED');
      else if (model.status !== 'CONFIRMED' && model.refundBy === null)
        return `ORDER_STOPPED ${model.reason ?? (model.stopped ? 'ABORTED_BY_OPERATOR' : 'CANCELLED_BY_CUSTOMER')}`;
      return 'ok';
    case 'reject':
      if (isOpen && !model.stopped) end(model, 'REJECTED', command.why, 'ORDER_REJECTED');
      return 'ok';
    case 'close': {
      const isCancel = command.why === 'CANCELLED_BY_CUSTOMER' || command.why === 'ABORTED_BY_OPERATOR';
      const isRefund = command.why === 'REFUNDED_BY_OPERATOR';
      if (isRefund && model.refundBy !== null && !isFinal(model.status))
        end(model, 'REFUNDED', command.why, 'ORDER_REFUNDED');
      if (!isRefund && isOpen)
        end(model, isCancel ? 'CANCELLED' : 'PAYMENT_NOT_COMPLETED', command.why, 'ORDER_CLOSED');
      return 'ok';
    }
    case 'stop':
      if (!isOpen) return 'ORDER_ALREADY_FINAL';
      model.stopped = true;
      model.status = 'COMPENSATING';
      return 'ok';
    case 'cancel':
      return cancel(model);
    case 'check':
      return `ok ${isFinal(model.status)} ${model.status} ${model.cancelRequested}`;
    case 'reinstate':
      if (model.status === 'PAYMENT_NOT_COMPLETED' && !model.cancelRequested && !model.stopped) {
        confirm(model, 'ORDER_REINSTATED');
        model.reinstatedBy = command.by;
        model.reason = null;
      }
      return model.reinstatedBy === command.by ? 'ok' : 'ORDER_NOT_REINSTATABLE';
    case 'note refund':
      if (model.money !== 'REFUNDED') model.moneyAt = Infinity;
      model.money = 'REFUNDED';
      return 'ok';
    case 'start refund':
      if (model.status === 'CONFIRMED') {
        model.status = 'COMPENSATING';
        model.refundBy = command.by;
      }
      if (model.refundBy !== command.by) return 'ORDER_NOT_REFUNDABLE';
      return model.reinstatedBy === null ? 'ok its own reservation' : 'ok the late reservation';
    case 'hear of undo':
      if (!isFinal(model.status) && command.by !== 'stranger') model.status = 'COMPENSATING';
      return 'ok';
    case 'hear of money':
      return hearOfMoney(model, command.money, command.at);
  }
}

function confirm(model: Model, fact: HistoryState): void {
  model.status = 'CONFIRMED';
  model.codes = units;
  model.history.push(fact);
}

function end(model: Model, status: OrderStatus, why: ReasonCode, fact: HistoryState): void {
  const isInSpiteOfCancel = model.cancelRequested && (status === 'REJECTED' || status === 'PAYMENT_NOT_COMPLETED');
  model.history.push(fact, ...(isInSpiteOfCancel ? (['CANCEL_TOO_LATE'] as const) : []));
  model.status = status;
  model.reason = why;
}

function cancel(model: Model): string {
  const isInTime = model.status === 'PENDING' || model.status === 'AWAITING_PAYMENT';
  if (isInTime && model.money !== 'APPROVED' && !model.cancelRequested) {
    model.cancelRequested = true;
    model.history.push('CANCEL_REQUESTED');
  }
  const isAsked = isInTime || model.status === 'COMPENSATING' || model.status === 'CANCELLED';
  return model.cancelRequested && isAsked ? 'ok' : 'ORDER_NOT_CANCELLABLE';
}

/** The latest news counts. At the same moment the one that is heard later. */
function hearOfMoney(model: Model, money: Money, at: number): string {
  if (model.moneyAt < at || (model.moneyAt === at && model.money !== money)) [model.money, model.moneyAt] = [money, at];
  // The same event again is no news.
  const fact = `${historyOf[money]} of ${at}`;
  if (!model.history.includes(fact)) model.history.push(fact);
  if (money === 'REQUESTED' && model.status === 'PENDING') model.status = 'AWAITING_PAYMENT';
  return 'ok';
}
