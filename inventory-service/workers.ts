/** The jobs of inventory-service. */
import { jobs } from '@ticket-saga/contract/jobs';
import type { Service, WorkerParts } from '@ticket-saga/runtime/service';
import { confirmTickets } from './confirmation.ts';
import { releaseTickets, reserveTickets } from './reservations.ts';

/** @param holdGrace ISO 8601 duration for which a hold outlives its payment's deadline */
export function startWorkers(service: Service, parts: WorkerParts, holdGrace: string): void {
  const { db } = parts;
  service.worker(jobs.reserveTickets, (input, context) => reserveTickets(db, input, context, holdGrace), parts);
  service.worker(jobs.releaseTickets, (input, context) => releaseTickets(db, input, context), parts);
  service.worker(jobs.confirmTickets, (input, context) => confirmTickets(db, input, context), parts);
}
