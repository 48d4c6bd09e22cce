/** The audit trail: every act of an operator, with the reason given and what came of it. Written once, never changed. */
import { type Db, sql, type Tx } from '@ticket-saga/runtime/database';
import { PassingFault, PermanentError } from '@ticket-saga/runtime/errors';
import { Problem } from '@ticket-saga/runtime/problem';

export const operatorActions = [
  'retry-step',
  'retry-all',
  'abort-order',
  'refund-order',
  'refund-product',
  'republish-payment',
  'replay-dead-letter',
  'discard-dead-letter',
  'repair',
] as const;

export type OperatorAction = {
  /** Who: the operator's name, `reconcile` for the schedule. */
  operator: string;
  action: (typeof operatorActions)[number];
  orderId?: string | undefined;
  /** In the operator's words. */
  reason: string;
  /** `done`, or the code of the problem that refused it. */
  outcome: string;
  details?: Record<string, unknown>;
};

type Sql = ReturnType<typeof sql.sql>;

/** SQL that inserts the entry, alone or as a data-modifying CTE. `outcome` may be an expression on other CTEs. */
export function insertAudit(entry: Omit<OperatorAction, 'outcome'> & { outcome: string | Sql }): Sql {
  const outcome = typeof entry.outcome === 'string' ? sql.sql`${entry.outcome}` : entry.outcome;
  return sql.sql`
    insert into operator_action (operator, action, order_id, reason, outcome, details)
    select ${entry.operator}, ${entry.action}, ${entry.orderId ?? null}::uuid, ${entry.reason}, ${outcome},
      ${JSON.stringify(entry.details ?? {})}::jsonb`;
}

/** Writes the entry; call it in the transaction of the act, or right after the engine has accepted it. */
export async function addToAudit(tx: Tx, entry: OperatorAction): Promise<void> {
  await tx.$executeRaw(insertAudit(entry));
}

/** Runs an act that writes its own entry when it is done. One that is refused, or fails, is written down here. */
export async function auditRefusal<T>(
  db: Db,
  entry: Omit<OperatorAction, 'outcome'>,
  act: () => Promise<T>,
): Promise<T> {
  try {
    return await act();
  } catch (error) {
    await addToAudit(db, { ...entry, outcome: codeOf(error) });
    throw error;
  }
}

function codeOf(error: unknown): string {
  if (error instanceof Problem) return error.code;
  return error instanceof PassingFault || error instanceof PermanentError ? error.code : 'FAILED';
}

export type AuditRow = {
  id: string;
  at: Date;
  operator: string;
  action: string;
  orderId: string | null;
  reason: string;
  outcome: string;
  details: unknown;
};

/** A page, newest first. `cursor` is the id of the last entry of the page before. */
export async function listAudit(
  db: Db,
  { orderId, cursor, limit }: { orderId?: string | undefined; cursor?: string | undefined; limit: number },
): Promise<{ items: AuditRow[]; nextCursor: string | null }> {
  const conditions = [
    sql.sql`true`,
    ...(orderId === undefined ? [] : [sql.sql`order_id = ${orderId}::uuid`]),
    ...(cursor === undefined ? [] : [sql.sql`id < ${cursor}::bigint`]),
  ];
  const rows = await db.$queryRaw<AuditRow[]>`
    select id::text as id, at, operator, action, order_id::text as "orderId", reason, outcome, details
    from operator_action where ${sql.join(conditions, ' and ')} order by operator_action.id desc limit ${limit + 1}`;
  const items = rows.slice(0, limit);
  return { items, nextCursor: rows.length > limit ? (items.at(-1)?.id ?? null) : null };
}
