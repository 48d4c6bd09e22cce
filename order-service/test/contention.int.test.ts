/** Statements that meet another transaction on the order's row: PostgreSQL evaluates them again on the newer row. */
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { createLogger } from '@ticket-saga/runtime/logger';
import { eventually } from '../../test/support/eventually.ts';
import { requestCancel } from '../cancel-order.ts';
import { completeOrder, stopOrder } from '../orders.ts';
import { readOrder } from '../read-orders.ts';
import { jobContext, ownService, type OwnService, tellStep } from './support.ts';

let service: OwnService;

beforeAll(async () => {
  service = await ownService();
});
afterAll(() => service.stop());

/** Begins `work` while another transaction has done `change` to the order, and commits that once `work` waits for it. */
async function meanwhile<T>(id: string, change: string, work: () => Promise<T>): Promise<T> {
  const other = await service.database.admin.connect();
  try {
    await other.query('begin');
    await other.query(`update orders.purchase set ${change} where id = $1`, [id]);
    const working = work();
    working.catch(() => undefined);
    await eventually('the wait for the row', async () => {
      const { rows } = await service.database.admin.query(
        `select 1 from pg_stat_activity where datname = current_database() and wait_event_type = 'Lock'`,
      );
      return rows.length > 0;
    });
    await other.query('commit');
    return await working;
  } finally {
    other.release();
  }
}

describe('while another transaction changes the order', () => {
  it('a step is booked on what the other has left', async () => {
    const id = await service.place();
    await meanwhile(id, `status = 'COMPENSATING'`, () =>
      tellStep(service.db, id, 'RequestPayment', { history: ['PAYMENT_CREATED'], payment: { state: 'REQUESTED' } }),
    );
    expect(await readOrder(service.db, id)).toMatchObject({ status: 'COMPENSATING', paymentState: 'REQUESTED' });
  });

  it('an undo moves the status that the other has left', async () => {
    const id = await service.place();
    await meanwhile(id, `status = 'AWAITING_PAYMENT'`, () =>
      tellStep(service.db, id, 'ReleaseTickets', { undo: ['ReserveTickets'] }),
    );
    expect(await readOrder(service.db, id)).toMatchObject({ status: 'COMPENSATING' });
  });

  it('an order that the other has stopped is not completed', async () => {
    const id = await service.place();
    const completed = meanwhile(id, `stopped_at = now()`, () =>
      completeOrder(service.db, { orderId: id }, jobContext(id, 'completeOrder')),
    );
    await expect(completed).rejects.toMatchObject({ code: 'ORDER_STOPPED' });
    expect((await readOrder(service.db, id))?.tickets).toEqual([]);
  });

  it('an order that the other only touched is completed, with its tickets', async () => {
    const id = await service.place();
    await meanwhile(id, `pay_by = now()`, () =>
      completeOrder(service.db, { orderId: id }, jobContext(id, 'completeOrder')),
    );
    const order = await readOrder(service.db, id);
    expect(order).toMatchObject({ status: 'CONFIRMED', version: 3 });
    expect(order?.tickets).toHaveLength(1);
  });

  it('an order that the other has ended is not stopped', async () => {
    const id = await service.place();
    const stopped = meanwhile(id, `status = 'REJECTED', completed_at = now()`, () =>
      stopOrder(service.db, { orderId: id }, jobContext(id, 'stopOrder')),
    );
    await expect(stopped).rejects.toMatchObject({ code: 'ORDER_ALREADY_FINAL' });
  });

  it('an order that the other has found paid cannot be cancelled', async () => {
    const id = await service.place();
    const parts = { db: service.db, logger: createLogger('test', 'silent') };
    const cancelled = meanwhile(id, `payment_state = 'APPROVED'`, () => requestCancel(parts, id, null));
    await expect(cancelled).rejects.toMatchObject({ code: 'ORDER_NOT_CANCELLABLE' });
  });
});
