import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import request from 'supertest';
import { testDatabase, type TestDatabase } from '../../test/support/postgres.ts';
import { newsBefore } from '../news.ts';
import { addCatalog, tellStep, testService, type TestService } from './support.ts';

let database: TestDatabase;
let service: TestService;

beforeAll(async () => {
  database = await testDatabase();
  service = await testService(database);
  await addCatalog(service.db);
});
afterAll(async () => {
  await service.orderEvents.stop();
  await database.drop();
});

/** An order whose tickets are held and whose payment is asked for. */
async function orderOnTheWay(): Promise<string> {
  const { body } = await request(service.app).post('/orders').send({ productId: '1', quantity: 1 });
  await tellStep(service.db, body.id, 'ReserveTickets', { history: ['RESERVE_CREATED'] });
  await tellStep(service.db, body.id, 'RequestPayment', {
    history: ['PAYMENT_CREATED'],
    payment: { state: 'REQUESTED' },
  });
  return body.id;
}

/** Whether the end still waits after a moment. */
async function waits(id: string, end: 'confirmed' | 'closed'): Promise<boolean> {
  const started = Date.now();
  await newsBefore(service.db, id, end, 200);
  return Date.now() - started >= 200;
}

describe('the end of an order', () => {
  it('waits until it was heard that the tickets are released and the money is void', async () => {
    const id = await orderOnTheWay();
    expect(await waits(id, 'closed')).toBe(true);
    await tellStep(service.db, id, 'CancelPayment', { history: ['PAYMENT_VOIDED'], payment: { state: 'VOIDED' } });
    expect(await waits(id, 'closed')).toBe(true);
    await tellStep(service.db, id, 'ReleaseTickets', { history: ['RESERVE_RELEASED'], undo: ['ReserveTickets'] });
    expect(await waits(id, 'closed')).toBe(false);
  });

  it('waits until it was heard that the order is paid', async () => {
    const id = await orderOnTheWay();
    expect(await waits(id, 'confirmed')).toBe(true);
    await tellStep(service.db, id, 'Told', { history: ['PAYMENT_COMPLETED'], payment: { state: 'APPROVED' } });
    expect(await waits(id, 'confirmed')).toBe(false);
  });

  it('does not wait for news that will not come: nothing was held or asked for', async () => {
    const { body } = await request(service.app).post('/orders').send({ productId: '1', quantity: 1 });
    expect(await waits(body.id, 'closed')).toBe(false);
  });
});
