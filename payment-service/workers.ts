/** The process's steps that payment-service does. */
import { jobs } from '@ticket-saga/contract/jobs';
import type { Service, WorkerParts } from '@ticket-saga/runtime/service';
import { acceptPayment, refundPayment } from './late-money.ts';
import { cancelPayment, closePayment, requestPayment } from './payments.ts';
import type { Parts } from './settle.ts';

export function startWorkers(service: Service, parts: Parts, workerParts: WorkerParts): void {
  service.worker(jobs.requestPayment, (input, context) => requestPayment(parts, input, context), workerParts);
  service.worker(jobs.closePayment, (input, context) => closePayment(parts, input, context), workerParts);
  service.worker(jobs.cancelPayment, (input, context) => cancelPayment(parts, input, context), workerParts);
  service.worker(jobs.acceptPayment, (input, context) => acceptPayment(parts, input, context), workerParts);
  service.worker(jobs.refundPayment, (input, context) => refundPayment(parts, input, context), workerParts);
}
