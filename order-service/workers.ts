/** The jobs that order-service does. */
import { jobs } from '@ticket-saga/contract/jobs';
import type { Service, WorkerParts } from '@ticket-saga/runtime/service';
import { checkLatePayment, noteRefund, reinstateOrder, startRefund } from './after-the-end.ts';
import { waitForNews } from './news.ts';
import { closeOrder, completeOrder, rejectOrder, stopOrder } from './orders.ts';

export function startWorkers(service: Service, parts: WorkerParts): void {
  const { db } = parts;
  service.worker(
    jobs.rejectOrder,
    async (input, context) => {
      await waitForNews(db, input.orderId, 'rejected');
      await rejectOrder(db, input, context);
      return {};
    },
    parts,
  );
  service.worker(
    jobs.completeOrder,
    async (input, context) => {
      await waitForNews(db, input.orderId, 'confirmed');
      await completeOrder(db, input, context);
      return {};
    },
    parts,
  );
  service.worker(
    jobs.closeOrder,
    async (input, context) => {
      await waitForNews(db, input.orderId, 'closed');
      await closeOrder(db, input, context);
      return {};
    },
    parts,
  );
  service.worker(jobs.stopOrder, async (input, context) => (await stopOrder(db, input, context), {}), parts);
  service.worker(jobs.checkLatePayment, (input, context) => checkLatePayment(db, input, context), parts);
  service.worker(
    jobs.reinstateOrder,
    async (input, context) => {
      await waitForNews(db, input.orderId, 'reinstated');
      await reinstateOrder(db, input, context);
      return {};
    },
    parts,
  );
  service.worker(
    jobs.noteRefund,
    async (input, context) => {
      await waitForNews(db, input.orderId, 'refunded');
      await noteRefund(db, input, context);
      return {};
    },
    parts,
  );
  service.worker(jobs.startRefund, (input, context) => startRefund(db, input, context), parts);
}
