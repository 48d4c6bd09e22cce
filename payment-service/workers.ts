/** The process's steps that payment-service does. */
import { jobs } from '@ticket-saga/contract/jobs';
import type { Service } from '@ticket-saga/runtime/service';
import { cancelPayment, closePayment, type Parts, requestPayment } from './payments.ts';

export function startWorkers(service: Service, parts: Parts, with_: Parameters<Service['worker']>[2]): void {
  service.worker(jobs.requestPayment, (input, context) => requestPayment(parts, input, context), with_);
  service.worker(jobs.closePayment, (input, context) => closePayment(parts, input, context), with_);
  service.worker(jobs.cancelPayment, (input, context) => cancelPayment(parts, input, context), with_);
}
