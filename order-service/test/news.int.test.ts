import { afterAll, beforeAll, beforeEach, describe, expect, it } from '@jest/globals';
import { jobs } from '../../contract/jobs.ts';
import { waitForNews } from '../news.ts';
import { rejectOrder } from '../orders.ts';
import { jobContext, ownService, type OwnService, tellStep } from './support.ts';

let service: OwnService;
let id: string;

beforeAll(async () => {
  service = await ownService();
});
afterAll(() => service.stop());
beforeEach(async () => {
  id = await service.place();
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
