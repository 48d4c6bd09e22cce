/**
 * Carries refunds out: writes down the orders of a product, starts `refund-order` for so many at once and no more, and
 * looks how each goes. All of it is in the database, so a kill loses nothing; whatever is done twice is harmless: a second
 * process instance for the same order ends as "Not refundable", its first one goes on.
 */
import { refundOrderVariables } from '@ticket-saga/contract/jobs';
import { backoffMs, pause } from '@ticket-saga/runtime/backoff';
import { crashPoint } from '@ticket-saga/runtime/crash-points';
import type { PartHealth } from '@ticket-saga/runtime/health';
import { errorFields } from '@ticket-saga/runtime/logger';
import { z } from 'zod';
import { noteProcess } from './further-processes.ts';
import { readOrderState } from './order-state.ts';
import type { OrchestratorParts } from './parts.ts';
import { collected } from './refunds.ts';
import { start } from './start.ts';

const refundProcess = 'refund-order';
const everyMs = 1_000;
/** Nobody else takes up an order for this long after it was taken up: longer than a start and a look may take, 10 s each. */
const leaseSeconds = 30;
const pageSize = 100;

type RunnerParts = Pick<OrchestratorParts, 'db' | 'engine' | 'services' | 'logger'>;
type Item = { refundId: string; orderId: string; processInstanceKey: string | null };

/**
 * Runs until the returned function is called. `atOnce`: orders that are being refunded at the same time, by all
 * orchestrators together; those that go on after they were stuck come on top.
 */
export function keepRefunding(parts: RunnerParts, atOnce: number, health: PartHealth): () => Promise<void> {
  const stop = new AbortController();
  const running = (async () => {
    for (let failures = 0; !stop.signal.aborted;) {
      try {
        await refundRound(parts, atOnce);
        failures = 0;
        health.ok();
        await pause(everyMs, stop.signal);
      } catch (error) {
        failures += 1;
        health.failed(`refunds wait: ${String(error)}`);
        parts.logger.warn('refunds: trying again', { failures, ...errorFields(error) });
        await pause(backoffMs(failures, 500, 10_000), stop.signal);
      }
    }
  })();
  return async () => {
    stop.abort();
    await running;
  };
}

export async function refundRound(parts: RunnerParts, atOnce: number): Promise<void> {
  await collect(parts);
  await Promise.all((await claim(parts, atOnce)).map((item) => takeUp(parts, item)));
  await parts.db.$executeRaw`
    update refund r set state = 'DONE', done_at = now() where state = 'RUNNING' and not exists (
      select from refund_order o where o.refund_id = r.id and o.state in ('WAITING', 'RUNNING', 'FAILED'))`;
}

const page = z.object({ items: z.array(z.object({ id: z.uuid() })), nextCursor: z.string().nullable() });

/** Writes down one page of the orders of each product; where it stands is kept with them. */
async function collect({ db, services }: RunnerParts): Promise<void> {
  const open = await db.$queryRaw<{ id: string; productId: string; status: string; cursor: string | null }[]>`
    select id::text as id, product_id as "productId", collect_status as status, collect_cursor as cursor
    from refund where state = 'COLLECTING'`;
  for (const { id, productId, status, cursor } of open) {
    const query = new URLSearchParams({ productId, status, limit: String(pageSize), ...(cursor ? { cursor } : {}) });
    const { items, nextCursor } = await services.get('order', `/orders?${query.toString()}`, page);
    const next = nextCursor ? status : collected.find((_, index) => collected[index - 1] === status);
    // Compared with where it stood: of two orchestrators one writes the page.
    await db.$executeRaw`
      with moved as (
        update refund set collect_status = ${next ?? null}, collect_cursor = ${nextCursor},
          state = case when ${next ?? null}::text is null then 'RUNNING' else 'COLLECTING' end
        where id = ${id}::uuid and collect_status = ${status} and collect_cursor is not distinct from ${cursor}
        returning id
      )
      insert into refund_order (refund_id, order_id)
      select moved.id, found.id::uuid from moved, unnest(${items.map((item) => item.id)}::text[]) as found(id)
      on conflict do nothing`;
  }
}

/**
 * Takes up what is due: orders under way, to look at them, and as many waiting ones as there is room for. One orchestrator
 * at a time: two that count at once would both fill the same room. The lock comes in a statement of its own, so that the
 * next one sees what the other has taken.
 */
async function claim({ db }: RunnerParts, atOnce: number): Promise<Item[]> {
  return db.$transaction(async (tx) => {
    await tx.$executeRaw`select pg_advisory_xact_lock(hashtext('orchestration.refund_order'))`;
    return tx.$queryRaw<Item[]>`
      with under_way as (
        select refund_id, order_id from refund_order where state in ('RUNNING', 'FAILED') and next_look_at <= now()
        order by next_look_at limit ${atOnce}
      ), waiting as (
        select refund_id, order_id from refund_order where state = 'WAITING' and next_look_at <= now()
        order by next_look_at, refund_id, order_id
        limit greatest(0, ${atOnce}::int - (select count(*)::int from refund_order where state = 'RUNNING'))
      )
      update refund_order o set next_look_at = now() + ${leaseSeconds} * interval '1 second',
        state = case o.state when 'WAITING' then 'RUNNING' else o.state end
      from (select * from under_way union all select * from waiting) as due
      where o.refund_id = due.refund_id and o.order_id = due.order_id
      returning o.refund_id::text as "refundId", o.order_id::text as "orderId", o.process_instance_key as "processInstanceKey"`;
  });
}

/** One order's failure is its own: it is looked at again after a while. */
async function takeUp(parts: RunnerParts, item: Item): Promise<void> {
  try {
    await goOn(parts, item);
  } catch (error) {
    parts.logger.warn('refund: the order is looked at again', { ...item, ...errorFields(error) });
    await parts.db.$executeRaw`
      update refund_order set next_look_at = now() + interval '5 seconds'
      where refund_id = ${item.refundId}::uuid and order_id = ${item.orderId}::uuid`;
  }
}

async function goOn(parts: RunnerParts, item: Item): Promise<void> {
  const order = await readOrderState(parts, item.orderId);
  if (order.status === 'REFUNDED') return note(parts, item, 'DONE');
  // What hangs in an order that no refund has touched yet is late money beside it, and no hindrance.
  if (order.status === 'CONFIRMED' && !(await isBegun(parts, item))) return begin(parts, item);
  const stuck = order.steps.find(({ state }) => state === 'STUCK');
  if (stuck) return note(parts, item, 'FAILED', { code: 'STUCK', message: `${stuck.name} (${stuck.id}) is stuck.` });
  // Under way by this refund or another: it is looked at until it has ended.
  if (order.status === 'CONFIRMED' || order.status === 'COMPENSATING') return note(parts, item, 'RUNNING');
  // It may still be confirmed: it gives its place to others, and is asked again when they have had their turn.
  if (order.status === 'PENDING' || order.status === 'AWAITING_PAYMENT')
    return note(parts, item, 'WAITING', { code: 'ORDER_ON_ITS_WAY', message: `The order is ${order.status}.` });
  return note(parts, item, 'REFUSED', { code: 'ORDER_NOT_REFUNDABLE', message: `The order is ${order.status}.` });
}

/** One that was cancelled before its first step has left the order as it was. */
const isBegun = async ({ engine }: RunnerParts, { processInstanceKey }: Item): Promise<boolean> =>
  processInstanceKey !== null && engine.isAlive(processInstanceKey);

async function begin(parts: RunnerParts, item: Item): Promise<void> {
  const variables = refundOrderVariables.parse({ orderId: item.orderId });
  await crashPoint(`start ${refundProcess}.before-engine`, item.orderId);
  const { processInstanceKey, version } = await start(parts.engine, refundProcess, variables);
  await crashPoint(`start ${refundProcess}.before-noted`, item.orderId);
  await noteProcess(parts.db, item.orderId, processInstanceKey, version);
  parts.logger.info('refund: process started', { ...item, processInstanceKey, version });
  await note(parts, { ...item, processInstanceKey }, 'RUNNING');
}

type Why = { code: string; message: string };

/** Seconds to the next look: what is stuck or on its way takes nobody's place meanwhile. */
const nextLook = { WAITING: 5, RUNNING: 1, FAILED: 10, DONE: 0, REFUSED: 0 };

async function note({ db }: RunnerParts, item: Item, state: keyof typeof nextLook, why?: Why): Promise<void> {
  await db.$executeRaw`
    update refund_order set state = ${state}, process_instance_key = ${item.processInstanceKey},
      code = ${why?.code ?? null}, message = ${why?.message ?? null}, updated_at = now(),
      next_look_at = now() + ${nextLook[state]} * interval '1 second'
    where refund_id = ${item.refundId}::uuid and order_id = ${item.orderId}::uuid`;
}
