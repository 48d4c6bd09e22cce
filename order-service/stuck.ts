/** Orders that hang, for operators: steps that gave up, and orders from which nothing was heard for too long. */
import type { StuckStep } from '@ticket-saga/contract/operations';
import type { OrderStatus, Stage } from '@ticket-saga/contract/states';
import { type Db, sql } from '@ticket-saga/runtime/database';
import { type Diagram, saga } from './diagram.ts';
import { viewOrder } from './order-view.ts';
import { readOrder } from './read-orders.ts';
import { onTheWay } from './steps.ts';

export type StuckFilter = {
  orderId?: string | undefined;
  /** Element id. */
  step?: string | undefined;
  /** Code of the error. */
  code?: string | undefined;
  /** Only what was stuck at this moment already, ISO 8601. */
  until?: string | undefined;
  /** An order on its way is silent when nothing was heard of it for this long, and its time to pay is over. */
  silentAfterMs: number;
  limit: number;
  cursor?: string | undefined;
};

type Row = {
  orderId: string;
  status: OrderStatus;
  elementId: string | null;
  elementInstanceKey: string | null;
  processInstanceKey: string | null;
  stage: Stage | null;
  tries: number | null;
  errorCode: string | null;
  errorMessage: string | null;
  since: Date;
};

// A step is stuck while nothing was heard of its process instance afterwards; a dead letter holds the order up before
// there is an instance, so any later step ends that. What was stuck when its order ended has been overtaken; but late
// money has its own end, whenever the order beside it comes to its own.
const hung = (besides: string[]) => sql.sql`
  select s.order_id, p.status, s.element_id, s.element_instance_key, nullif(s.process_instance_key, '') as process_instance_key,
    s.stage, s.attempt, s.error_code, s.error_message, s.at as since
  from step_event s join purchase p on p.id = s.order_id
  where s.state = 'STUCK'
    and (p.completed_at is null or s.at > p.completed_at or s.element_id = any(${besides}::text[]))
    and not exists (select from step_event later where later.order_id = s.order_id and later.at > s.at
      and s.process_instance_key in ('', later.process_instance_key))`;

const silent = (afterMs: number) => sql.sql`
  select p.id, p.status, null::text, null::text, last.process_instance_key, null::text, null::int, null::text, null::text,
    greatest(p.updated_at, p.pay_by)
  from purchase p left join lateral (
    select process_instance_key from step_event where order_id = p.id and process_instance_key <> '' order by at desc limit 1
  ) as last on true
  where ${onTheWay} and greatest(p.updated_at, p.pay_by) < now() - ${afterMs} * interval '1 millisecond'
    and not exists (select from hung where hung.order_id = p.id)`;

/** A page, the oldest first. */
export async function listStuck(
  db: Db,
  diagram: Diagram,
  filter: StuckFilter,
): Promise<{ items: StuckStep[]; nextCursor: string | null }> {
  const { orderId, step, code, until, cursor, limit } = filter;
  const after = cursor === undefined ? undefined : readCursor(cursor);
  const conditions = [
    sql.sql`true`,
    ...(orderId === undefined ? [] : [sql.sql`order_id = ${orderId}::uuid`]),
    ...(step === undefined ? [] : [sql.sql`element_id = ${step}`]),
    ...(code === undefined ? [] : [sql.sql`error_code = ${code}`]),
    ...(until === undefined ? [] : [sql.sql`since <= ${until}::timestamptz`]),
    ...(after ? [sql.sql`(since, order_id) > (${after.since}::timestamptz, ${after.orderId}::uuid)`] : []),
  ];
  const rows = await db.$queryRaw<Row[]>`
    with hung as (${hung(diagram.stepsOf('late-payment'))}), stuck as (select * from hung union all ${silent(filter.silentAfterMs)})
    select order_id::text as "orderId", status, element_id as "elementId", element_instance_key as "elementInstanceKey",
      process_instance_key as "processInstanceKey", stage, attempt as tries, error_code as "errorCode",
      error_message as "errorMessage", since
    from stuck where ${sql.join(conditions, ' and ')} order by since, order_id limit ${limit + 1}`;
  const page = rows.slice(0, limit);
  const last = page.at(-1);
  const items = await Promise.all(page.map((row) => asStuck(db, diagram, row)));
  return { items, nextCursor: rows.length > limit && last ? `${last.since.toISOString()}_${last.orderId}` : null };
}

export const cursorShape = /^\d{4}-\d\d-\d\dT[\d:.]+Z_[0-9a-f-]{36}$/;

function readCursor(cursor: string): { since: string; orderId: string } {
  const [since = '', orderId = ''] = cursor.split('_');
  return { since, orderId };
}

async function asStuck(db: Db, diagram: Diagram, row: Row): Promise<StuckStep> {
  const { orderId, status, elementId, stage, errorCode, errorMessage } = row;
  const common = {
    orderId,
    status,
    since: row.since.toISOString(),
    processInstanceKey: row.processInstanceKey,
    elementInstanceKey: row.elementInstanceKey,
  };
  if (elementId === null || stage === null) {
    const place = await whereItStands(db, diagram, orderId);
    return { ...common, kind: 'SILENT', processId: processOf(diagram, place.step?.id), ...place };
  }
  return {
    ...common,
    kind: 'STUCK',
    processId: processOf(diagram, elementId),
    step: { id: elementId, name: diagram.nameOf(elementId) ?? elementId, stage },
    tries: row.tries ?? 1,
    error: errorCode === null ? null : { code: errorCode, message: errorMessage ?? '' },
  };
}

/** What belongs to no diagram is told of the saga. */
const processOf = (diagram: Diagram, elementId = '') => diagram.processOf(elementId) ?? saga;

/** The step at which a silent order stands, as its customer sees it. */
async function whereItStands(
  db: Db,
  diagram: Diagram,
  orderId: string,
): Promise<Pick<StuckStep, 'step' | 'tries' | 'error'>> {
  const row = await readOrder(db, orderId);
  const order = row && viewOrder(row, diagram);
  const current = order?.steps.find((step) => step.id === order.currentStep);
  if (!current) return { step: null, tries: 0, error: null };
  const { id, name, stage, attempts, error } = current;
  return { step: { id, name, stage }, tries: attempts, error };
}
