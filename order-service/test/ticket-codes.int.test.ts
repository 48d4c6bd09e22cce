/** The reconciliation's repair of ticket codes, over HTTP; what is wrong is put in by SQL. */
import { afterAll, beforeAll, beforeEach, describe, expect, it } from '@jest/globals';
import request from 'supertest';
import { eventually } from '../../test/support/eventually.ts';
import { closeOrder, completeOrder } from '../orders.ts';
import { jobContext, ownService, type OwnService, techlead } from './support.ts';

let service: OwnService;
let id: string;

beforeAll(async () => {
  service = await ownService();
});
afterAll(() => service.stop());
beforeEach(async () => {
  const items = [
    { id: '1', quantity: 2 },
    { id: 'two', quantity: 1 },
  ];
  const placed = await request(service.app).post('/orders').send({ items });
  id = placed.body.id;
});

const read = async () => (await request(service.app).get(`/orders/${id}`)).body;
const codes = async (): Promise<{ code: string; productId: string }[]> => (await read()).tickets;
const complete = () => completeOrder(service.db, { orderId: id }, jobContext(id, 'completeOrder'));
const close = (reasonCode: 'PAYMENT_TIMEOUT' | 'REFUNDED_BY_OPERATOR') =>
  closeOrder(service.db, { orderId: id, reasonCode }, jobContext(id, 'closeOrder'));
const addCode = (productId: string, unit: number) => service.db.$executeRaw`
  insert into ticket (code, order_id, product_id, unit) values (ticket_code(), ${id}::uuid, ${productId}, ${unit}::int)`;
async function fit(of = id) {
  const sent = request(service.app).post(`/reconciliation/orders/${of}/ticket-codes`);
  const { status, body } = await sent.set('Authorization', techlead).send({});
  return { status, body };
}

describe('The ticket codes of a confirmed order', () => {
  beforeEach(complete);

  it('are completed where some are missing; those that the customer has stay', async () => {
    const before = await codes();
    await service.db.$executeRaw`delete from ticket where order_id = ${id}::uuid and unit = 1`;
    const [left] = await codes();
    expect(await fit()).toEqual({ status: 200, body: { codes: 3 } });
    const after = await codes();
    expect(after.map(({ productId }) => productId).toSorted()).toEqual(['1', '1', 'two']);
    expect(after).toContainEqual(left);
    expect(new Set([...before, ...after].map(({ code }) => code)).size).toBe(5);
  });

  it('are only those of its lines where there are more', async () => {
    const before = await codes();
    await addCode('1', 3);
    await addCode('never-ordered', 1);
    expect(await fit()).toEqual({ status: 200, body: { codes: 3 } });
    expect(await codes()).toEqual(before);
  });

  it('are fitted once when two ask for it at once, and readers hear of it', async () => {
    await service.db.$executeRaw`delete from ticket where order_id = ${id}::uuid`;
    const { version } = await readRow();
    expect((await Promise.all([fit(), fit(), fit()])).map(({ body }) => body)).toEqual(Array(3).fill({ codes: 3 }));
    expect(await codes()).toHaveLength(3);
    expect((await readRow()).version).toBe(version + 1);
  });

  it('stay where they are right', async () => {
    const [before, row] = [await codes(), await readRow()];
    expect(await fit()).toEqual({ status: 200, body: { codes: 3 } });
    expect([await codes(), await readRow()]).toEqual([before, row]);
  });

  it('stay when the order is refunded, as the customer once had them; while it is being refunded nobody asks', async () => {
    await service.db
      .$executeRaw`update purchase set status = 'COMPENSATING', refund_by = 'r', completed_at = null where id = ${id}::uuid`;
    expect(await fit()).toMatchObject({ status: 409, body: { code: 'STALE_ACTION' } });
    await close('REFUNDED_BY_OPERATOR');
    expect(await fit()).toEqual({ status: 200, body: { codes: 3 } });
  });
});

const readRow = async () => await service.db.order.findUniqueOrThrow({ where: { id } });

describe('The ticket codes of an order', () => {
  it('that ended otherwise are taken away', async () => {
    await close('PAYMENT_TIMEOUT');
    await addCode('1', 1);
    expect(await fit()).toEqual({ status: 200, body: { codes: 0 } });
    expect(await codes()).toEqual([]);
  });

  it('that is confirmed just now stay: the repair waits for it', async () => {
    await close('PAYMENT_TIMEOUT');
    const reinstating = await service.database.admin.connect();
    await reinstating.query('begin');
    await reinstating.query(`update orders.purchase set status = 'CONFIRMED' where id = $1`, [id]);
    await reinstating.query(
      `insert into orders.ticket (code, order_id, product_id, unit) select code, $1, '1', row_number() over ()
       from unnest(array['one', 'another']) as code`,
      [id],
    );
    const fitted = fit();
    await eventually('the repair waits', async () => {
      const waiting = await service.database.admin.query(
        `select from pg_stat_activity where datname = current_database() and wait_event_type = 'Lock'`,
      );
      return waiting.rowCount;
    });
    await reinstating.query('commit');
    reinstating.release();
    expect(await fitted).toEqual({ status: 200, body: { codes: 3 } });
    expect((await codes()).map(({ code }) => code)).toEqual(expect.arrayContaining(['one', 'another']));
  });

  it('that has not ended are left alone', async () => {
    await addCode('1', 1);
    expect(await fit()).toMatchObject({ status: 409, body: { code: 'STALE_ACTION' } });
    const [{ count }] = await service.db.$queryRaw<[{ count: number }]>`
      select count(*)::int as count from ticket where order_id = ${id}::uuid`;
    expect(count).toBe(1);
  });

  it.each(['0190a8c0-0000-7000-8000-00000000ffff', 'nonsense', '%00'])(
    '%s that is not there are not found',
    async (of) => {
      expect(await fit(of)).toMatchObject({ status: 404, body: { code: 'ORDER_NOT_FOUND' } });
    },
  );

  it('are for operators to repair', async () => {
    const answer = await request(service.app).post(`/reconciliation/orders/${id}/ticket-codes`);
    expect(answer.status).toBe(401);
  });
});
