/** What a service is put together from, as its `main.ts` sees it. */
import type { Job } from '@ticket-saga/contract/jobs';
import type { Topic } from '@ticket-saga/contract/topics';
import type { Express } from 'express';
import type { z } from 'zod';
import type { ConsumerOptions } from './consumer.ts';
import type { Db } from './database.ts';
import type { ServiceSchema } from './database-url.ts';
import type { Engine } from './engine.ts';
import type { Health } from './health.ts';
import type { AppParts } from './http.ts';
import type { Handler } from './job.ts';
import type { Kafka, Producer } from './kafka.ts';
import type { Logger } from './logger.ts';
import type { Metrics } from './metrics.ts';
import type { limitsOf } from './rate-limit.ts';
import type { Relay } from './relay.ts';
import type { RetentionRule } from './retention.ts';

/** What every service reads, and how its HTTP side is limited. */
export type Settings = Parameters<typeof limitsOf>[0] & {
  BIND_ADDRESS: string;
  LOG_LEVEL: string;
  DATABASE_HOST: string;
  POSTGRES_PORT: number;
  DATABASE_NAME: string;
  DATABASE_POOL: number;
  EVENT_SECRET?: string;
  /** ISO 8601 duration. */
  STALLED_AFTER: string;
};

/** ISO 8601 durations. */
type RetentionSettings = { RETENTION_EVERY: string; OUTBOX_KEEP: string; INBOX_KEEP: string };

/** What a worker works with; `JOB_TIMEOUT` and `RETRY_BACKOFF` are ISO 8601 durations. */
export type WorkerParts = {
  engine: Engine;
  db: Db;
  producer: Producer;
  settings: { JOB_TIMEOUT: string; JOB_CONCURRENCY: number; RETRY_BACKOFF: string };
};

/** What a consumer gets from the service that runs it. */
type OfTheService = 'health' | 'logger' | 'metrics' | 'service' | 'groupId' | 'onAssigned' | 'secret';

/**
 * The parts that a service is put together from. Each comes up when its counterpart does, shows itself in
 * `/health/ready` until then, and is stopped with the service.
 */
export type Service = {
  name: string;
  logger: Logger;
  health: Health;
  metrics: Metrics;
  /** What `createApp` wants. */
  appParts: AppParts;
  /** Stopped in the reverse order of registration. */
  onStop(name: string, stop: () => Promise<void> | void): void;
  database(schema: ServiceSchema): Db;
  kafka(brokers: string[]): { kafka: Kafka; producer: Producer };
  relay(schema: ServiceSchema, producer: Producer): Relay;
  /** Cleans up outbox and inbox, and what else has its time. */
  retention(db: Db, settings: RetentionSettings, more?: RetentionRule[]): void;
  consumer<Schema extends z.ZodType>(options: Omit<ConsumerOptions<Schema>, OfTheService> & { topic: Topic }): void;
  engine(address: string): Engine;
  worker<Input extends z.ZodObject, Output extends z.ZodObject>(
    job: Job<Input, Output>,
    handler: Handler<Input, Output>,
    parts: WorkerParts,
  ): void;
  listen(app: Express, port: number): Promise<number>;
};
