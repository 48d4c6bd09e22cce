import { afterAll, beforeAll, beforeEach, describe, expect, it } from '@jest/globals';
import request from 'supertest';
import { jobs } from '../../contract/jobs.ts';
import { testDatabase, type TestDatabase } from '../../test/support/postgres.ts';
import { waitForNews } from '../news.ts';
import { rejectOrder } from '../orders.ts';
import { addCatalog, jobContext, tellStep, testService, type TestService } from './support.ts';

let database: TestDatabase;
let service: TestService;
let id: string;

beforeAll(async () => {
  database = await testDatabase();
  service = await testService(database);
  await addCatalog(service.db);
});
afterAll(async () => {
  await service.orderEvents.stop();
  await database.drop();
});
beforeEach(async () => {
  id = (await request(service.app).post('/orders').send({ productId: '1', quantity: 1 })).body.id;
});

/** Whether the end still waits after a moment. */
async function waits(end: Parameters<typeof waitForNews>[2]): Promise<boolean> {
  const started = Date.now();
  await waitForNews(service.db, id, end, 120);
  return Date.now() - started >= 120;
}
const undone = (elementId: string, job: 'cancelPayment' | 'releaseTickets') =>
  tellStep(service.db, id, elementId, { undo: [...(jobs[job].undo ?? [])] });

describe('the end of an order waits for the news', () => {
  it('of the money and the tickets when all is undone', async () => {
    await tellStep(service.db, id, 'ReserveTickets', { history: ['RESERVE_CREATED'] });
    expect(await waits('closed')).toBe(true);
    await undone('CancelPayment', 'cancelPayment');
    expect(await waits('closed')).toBe(true);
    await undone('ReleaseTickets', 'releaseTickets');
    expect(await waits('closed')).toBe(false);
  });

  it('that it is paid when it is confirmed', async () => {
    expect(await waits('confirmed')).toBe(true);
    await tellStep(service.db, id, 'ReserveTickets', { history: ['RESERVE_CREATED'] });
    expect(await waits('confirmed')).toBe(true);
    await tellStep(service.db, id, 'RequestPayment', { history: ['PAYMENT_CREATED', 'PAYMENT_COMPLETED'] });
    expect(await waits('confirmed')).toBe(false);
  });

  it('of the refusal when it is rejected', async () => {
    expect(await waits('rejected')).toBe(true);
    await tellStep(service.db, id, 'ReserveTickets', { state: 'FAILED', history: ['RESERVE_FAILED'] });
    expect(await waits('rejected')).toBe(false);
  });

  it('no more once it has ended: a second run changes nothing anyway', async () => {
    await rejectOrder(service.db, { orderId: id, reasonCode: 'SOLD_OUT' }, jobContext(id, 'rejectOrder'));
    for (const end of ['confirmed', 'closed', 'rejected'] as const) expect(await waits(end)).toBe(false);
  });
});
