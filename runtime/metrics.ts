/** Prometheus metrics, one registry a process, read at `/metrics`. */
import { collectDefaultMetrics, Counter, Gauge, Histogram, Registry } from 'prom-client';

export type Metrics = ReturnType<typeof createMetrics>;

/** @param service label on every series */
export function createMetrics(service: string) {
  const registry = new Registry();
  registry.setDefaultLabels({ service });
  collectDefaultMetrics({ register: registry });
  const registers = [registry];
  return {
    registry,
    httpSeconds: new Histogram({
      name: 'http_request_duration_seconds',
      help: 'Time to answer a request',
      labelNames: ['method', 'route', 'status'],
      registers,
    }),
    jobSeconds: new Histogram({
      name: 'job_duration_seconds',
      help: 'Working time of a job, by its type and how it ended',
      labelNames: ['type', 'result'],
      registers,
    }),
    jobsRunning: new Gauge({ name: 'jobs_running', help: 'Jobs being worked on now', labelNames: ['type'], registers }),
    messages: new Counter({
      name: 'kafka_messages_total',
      help: 'Messages consumed, by topic and what became of them',
      labelNames: ['topic', 'result'],
      registers,
    }),
    consumerLag: new Gauge({
      name: 'kafka_consumer_lag',
      help: 'Messages that wait for this process, by topic and partition',
      labelNames: ['topic', 'partition'],
      registers,
    }),
    rowsDeleted: new Counter({
      name: 'retention_deleted_total',
      help: 'Rows deleted because their time is over, by table',
      labelNames: ['table'],
      registers,
    }),
    outboxPending: new Gauge({
      name: 'outbox_pending',
      help: 'Events that wait in the outbox, counted as far as one batch (500)',
      registers,
    }),
    mismatches: new Gauge({
      name: 'reconciliation_mismatches',
      help: 'Mismatches that the last whole reconciliation found and no repair has put right, by kind',
      labelNames: ['kind'],
      registers,
    }),
    outboxSent: new Counter({ name: 'outbox_sent_total', help: 'Events sent from the outbox to Kafka', registers }),
  };
}
