/**
 * What holds for whole processes: the variables that each starts with, and what a path through a diagram must have
 * done before the order may end. `npm run check` holds every diagram of `bpmn/` against it.
 */
import type { z } from 'zod';
import type { BpmnErrorCode, ReasonCode } from './errors.ts';
import { type JobName, latePaymentVariables, refundOrderVariables, startVariables } from './jobs.ts';

export type Process = {
  /** The variables that the orchestrator starts it with. */
  start: z.ZodObject;
  /** The jobs that end it: one of them stands on every way through it, after everything else is settled. */
  closes: readonly JobName[];
  /**
   * An operator can stop it by `abort-order`. Only the saga: the message waits for two days and would find a later
   * process of the same order, which settles what it holds by itself.
   */
  abortable: boolean;
  /** What must have been asked, and answered so, on every way to a job. */
  approvals: readonly { before: JobName; variable: string; value: string; otherwise: string }[];
};

/** Each diagram by its process id, which is its file name. */
export const processes: Record<string, Process> = {
  'ticket-order': {
    start: startVariables,
    closes: ['completeOrder', 'rejectOrder', 'closeOrder'],
    abortable: true,
    approvals: [
      {
        before: 'confirmTickets',
        variable: 'paymentOutcome',
        value: 'APPROVED',
        otherwise: 'tickets would be sold that nobody has paid',
      },
    ],
  },
  'late-payment': {
    start: latePaymentVariables,
    closes: ['reinstateOrder', 'noteRefund'],
    abortable: false,
    approvals: [],
  },
  'refund-order': { start: refundOrderVariables, closes: ['closeOrder'], abortable: false, approvals: [] },
};

export type Duty = {
  /** Once this job was done, … */
  after: JobName;
  /** … or even only begun: the outside world may have acted although the step was interrupted. */
  evenIfInterrupted: boolean;
  /** … one of these must follow, before the order is closed and before the process ends. */
  owes: readonly JobName[];
  /** What would be wrong otherwise, for people. */
  otherwise: string;
};

export const duties: readonly Duty[] = [
  {
    after: 'reserveTickets',
    evenIfInterrupted: false,
    owes: ['confirmTickets', 'releaseTickets'],
    otherwise: 'the tickets would stay held for nobody',
  },
  {
    after: 'confirmTickets',
    evenIfInterrupted: false,
    owes: ['completeOrder', 'reinstateOrder', 'releaseTickets'],
    otherwise: 'tickets would stay sold to a customer whose order was not completed',
  },
  {
    after: 'requestPayment',
    evenIfInterrupted: true,
    owes: ['completeOrder', 'cancelPayment'],
    otherwise: 'the customer could be charged for an order that was given up',
  },
  {
    after: 'acceptPayment',
    evenIfInterrupted: false,
    owes: ['reinstateOrder', 'refundPayment'],
    otherwise: 'the customer’s late money would be kept for nothing',
  },
  {
    after: 'startRefund',
    evenIfInterrupted: false,
    owes: ['cancelPayment'],
    otherwise: 'the customer would not get the money back',
  },
  {
    after: 'startRefund',
    evenIfInterrupted: false,
    owes: ['releaseTickets'],
    otherwise: 'the tickets of a refunded order would stay sold',
  },
];

/** After these errors the order belongs to somebody else or has ended: the process ends without doing anything. */
export const handsOff: readonly BpmnErrorCode[] = ['DUPLICATE_PROCESS', 'ORDER_ALREADY_FINAL', 'ORDER_NOT_REFUNDABLE'];

/** What must have happened on every way to a job. */
export const preconditions: readonly { before: JobName; done: JobName; otherwise: string }[] = [
  { before: 'confirmTickets', done: 'reserveTickets', otherwise: 'nothing is held that could be sold' },
  {
    before: 'completeOrder',
    done: 'confirmTickets',
    otherwise: 'the customer would get tickets that were not sold to them',
  },
  { before: 'acceptPayment', done: 'confirmTickets', otherwise: 'money would be kept for tickets that nobody has' },
  { before: 'reinstateOrder', done: 'acceptPayment', otherwise: 'the late money could still be given back' },
  { before: 'noteRefund', done: 'refundPayment', otherwise: 'the order would show a refund that nobody made' },
];

/** Jobs that may be stuck for as long as the outside world is away: they need a time limit and a way to cancel. */
export const outsideJobs: readonly JobName[] = ['requestPayment'];

/** What must not happen any more on any way behind a job. */
export const exclusions: readonly { after: JobName; never: JobName; otherwise: string }[] = [
  {
    after: 'reserveTickets',
    never: 'rejectOrder',
    otherwise: 'the customer would read that nothing was held or charged, though it was',
  },
];

/** After a time limit the provider is asked first: after an outage a limit is heard before an approval that came in time. */
export const deadlines: readonly { before: JobName; ask: JobName; otherwise: string }[] = [
  { before: 'cancelPayment', ask: 'closePayment', otherwise: 'an order that was paid in time would be undone' },
];

/** The reason that an event gives to the order's end: by the message that it waits for, or as a time limit. */
export const reasonsOfMessages: Record<string, ReasonCode> = {
  'cancel-order': 'CANCELLED_BY_CUSTOMER',
  'abort-order': 'ABORTED_BY_OPERATOR',
};
/** A limit on the edge of a job that calls outside, and one in a wait for the answer. */
export const reasonsOfLimits = { outsideJob: 'PAYMENT_UNAVAILABLE', wait: 'PAYMENT_TIMEOUT' } as const satisfies Record<
  string,
  ReasonCode
>;
