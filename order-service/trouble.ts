/**
 * Troubles that no step of the order tells: what went to the dead letters, and incidents of the engine. Kept as an
 * event of the timeline, so that the order shows where it hangs instead of waiting for ever.
 */
import { startStep, waits } from '@ticket-saga/contract/jobs';
import type { StepState } from '@ticket-saga/contract/states';
import { deadLetter, type DeadLetter, type StepMoved } from '@ticket-saga/contract/topics';
import { type Db, sql } from '@ticket-saga/runtime/database';
import type { Logger } from '@ticket-saga/runtime/logger';
import { insertStep } from './steps.ts';

const waitForPayment = 'WaitForPayment' satisfies keyof typeof waits;

type Trouble = Pick<
  StepMoved,
  | 'idempotencyKey'
  | 'orderId'
  | 'occurredAt'
  | 'processInstanceKey'
  | 'elementId'
  | 'elementInstanceKey'
  | 'stage'
  | 'error'
> & { state: StepState };

/**
 * Notes it once; a finished order, or one that is not known here, stays as it is. Returns whether it was noted.
 * @param afterTheEnd the trouble is of a process that goes on with finished orders
 */
export async function noteTrouble(db: Db, trouble: Trouble, afterTheEnd = false): Promise<boolean> {
  const event: StepMoved = { type: 'STEP', attempt: 1, ...trouble };
  const noted = await db.$executeRaw`
    with step as (${insertStep(event, sql.sql`(p.completed_at is null or ${afterTheEnd}::boolean)`)} returning order_id)
    update purchase p set status = p.status from step where p.id = step.order_id`;
  return noted > 0;
}

/** A letter of `dead-letters`: only those that hold an order up are of interest here. */
export async function noteDeadLetter(db: Db, letter: unknown, logger: Logger): Promise<void> {
  const { data } = deadLetter.safeParse(letter);
  const trouble = data && troubleOf(data);
  if (!trouble || !(await noteTrouble(db, trouble))) return;
  logger.warn('a dead letter holds the order up', { orderId: trouble.orderId, reason: trouble.error?.code });
}

function troubleOf(letter: DeadLetter): Trouble | undefined {
  if (letter.orderId === undefined) return undefined;
  const common = {
    idempotencyKey: letter.idempotencyKey,
    orderId: letter.orderId,
    occurredAt: letter.occurredAt,
    processInstanceKey: '',
    error: letter.reason,
  };
  switch (letter.source.topic) {
    case 'created-orders':
      // A lost cancel or abort does not hold the order up.
      if (/"ORDER_(CANCEL|ABORT)_REQUESTED"/.test(letter.source.value ?? '')) return undefined;
      return { ...common, elementId: startStep.elementId, stage: startStep.stage, state: 'STUCK' };
    case 'webhook':
    case 'payment-event':
      // The wait goes on: a right answer may still come.
      return { ...common, elementId: waitForPayment, stage: waits.WaitForPayment.stage, state: 'WAITING' };
    default:
      return undefined;
  }
}
