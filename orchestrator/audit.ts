/** The audit trail: every act of an operator, with the reason given and what came of it. Written once, never changed. */
import type { Tx } from '@ticket-saga/runtime/database';

export type OperatorAction = {
  /** Who: the operator's name, `reconcile` for the schedule. */
  operator: string;
  action:
    | 'retry-step'
    | 'retry-all'
    | 'abort-order'
    | 'refund-order'
    | 'refund-product'
    | 'republish-payment'
    | 'replay-dead-letter'
    | 'discard-dead-letter'
    | 'repair';
  orderId?: string;
  /** In the operator's words. */
  reason: string;
  /** `done`, or the code of the problem that refused it. */
  outcome: string;
  details?: Record<string, unknown>;
};

/** Writes the entry; call it in the transaction of the act, or right after the engine has accepted it. */
export async function addToAudit(tx: Tx, entry: OperatorAction): Promise<void> {
  await tx.$executeRaw`
    insert into operator_action (operator, action, order_id, reason, outcome, details)
    values (${entry.operator}, ${entry.action}, ${entry.orderId ?? null}::uuid, ${entry.reason}, ${entry.outcome},
      ${JSON.stringify(entry.details ?? {})}::jsonb)`;
}
