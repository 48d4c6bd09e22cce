/**
 * How a service runs: its parts are started one after the other and stopped in the reverse order, once, on SIGTERM or
 * SIGINT. A part that cannot work yet (the database is away) says so in `/health/ready` and goes on trying.
 */
import { createRequire } from 'node:module';
import { createBestEffortSender } from './best-effort.ts';
import { ConfigError, durationMs, refuseLocalSecrets } from './config.ts';
import { startConsumer } from './consumer.ts';
import { allowCrashPoints } from './crash-points.ts';
import { createDb, watchDatabase } from './database.ts';
import { databaseUrl } from './database-url.ts';
import { createEngine } from './engine.ts';
import { createHealth } from './health.ts';
import { closeServer, listen } from './http.ts';
import type { JobReport } from './job.ts';
import { createKafka, createProducer, type Producer } from './kafka.ts';
import { watchLag } from './lag.ts';
import { createLogger, errorFields, type Logger } from './logger.ts';
import { createMetrics } from './metrics.ts';
import { addToOutbox } from './outbox.ts';
import { limitsOf } from './rate-limit.ts';
import { startRelay } from './relay.ts';
import { startRetention } from './retention.ts';
import type { Service, Settings } from './service-parts.ts';
import { secretToAskFor } from './signature.ts';
import { makeTopics } from './topics.ts';
import { startWorker } from './worker.ts';

export type { Service, WorkerParts } from './service-parts.ts';

export const version = String(createRequire(import.meta.url)('@ticket-saga/runtime/package.json').version);

/** Runs `start`; a failure there, or an error nobody caught, is logged and ends the process with code 1. */
export async function runService(
  name: string,
  settings: Settings,
  start: (service: Service) => Promise<void>,
): Promise<void> {
  const logger = createLogger(name, settings.LOG_LEVEL);
  const stops: { name: string; stop: () => Promise<void> | void }[] = [];
  let stopping = false;
  const stop = async (why: string, code: number) => {
    if (stopping) return;
    stopping = true;
    logger.info('stopping', { why });
    const tooLong = setTimeout(() => process.exit(code || 1), 15_000);
    for (const part of stops.toReversed()) {
      await Promise.resolve()
        .then(() => part.stop())
        .catch((error: unknown) => logger.warn(`stopping ${part.name}`, errorFields(error)));
    }
    clearTimeout(tooLong);
    logger.info('stopped');
    logger.once('finish', () => process.exit(code)); // some clients hold the process for seconds after their close
    logger.end();
  };
  for (const signal of ['SIGTERM', 'SIGINT'] as const) process.once(signal, () => void stop(signal, 0));
  const die = (error: unknown) => {
    logger.error('uncaught', { ...errorFields(error), stack: error instanceof Error ? error.stack : undefined });
    void stop('an error nobody caught', 1);
  };
  process.on('uncaughtException', die);
  process.on('unhandledRejection', die);

  try {
    allowCrashPoints();
    await start(createService(name, settings, logger, (part, stopPart) => stops.push({ name: part, stop: stopPart })));
  } catch (error) {
    if (error instanceof ConfigError) process.stderr.write(`${error.message}\n`);
    logger.error('cannot start', errorFields(error));
    await stop('it cannot start', error instanceof ConfigError ? 78 : 1);
  }
}

function createService(name: string, settings: Settings, logger: Logger, onStop: Service['onStop']): Service {
  const health = createHealth({ stalledAfterMs: durationMs(settings.STALLED_AFTER) });
  const metrics = createMetrics(name);
  const senders = new Map<Producer, JobReport['started']>();
  /** One sender a producer, so that the events of all workers travel together. */
  const startedSender = (producer: Producer) => {
    const sender = senders.get(producer) ?? createBestEffortSender(producer, logger);
    senders.set(producer, sender);
    return sender;
  };
  return {
    name,
    logger,
    health,
    metrics,
    appParts: { service: name, version, logger, health, metrics, limits: limitsOf(settings) },
    onStop,
    database(schema) {
      const db = createDb(databaseUrl(schema, settings), settings.DATABASE_POOL);
      onStop('database', () => db.$disconnect());
      onStop('database watch', watchDatabase(db, health));
      return db;
    },
    kafka(brokers) {
      const kafka = createKafka(brokers, name, logger);
      const { AUTH_MODE = 'local', EVENT_SECRET = '' } = settings;
      refuseLocalSecrets({ AUTH_MODE }, { EVENT_SECRET });
      const producer = createProducer(kafka, EVENT_SECRET);
      onStop('producer', () => producer.stop());
      onStop('topics', makeTopics(kafka, health.part('kafka topics'), logger));
      return { kafka, producer };
    },
    relay(schema, producer) {
      const url = databaseUrl(schema, settings);
      const part = health.part('outbox relay', health.stalledAfterMs);
      const relay = startRelay({ url, schema, producer, health: part, logger, metrics });
      onStop('relay', () => relay.stop());
      return relay;
    },
    retention(db, { RETENTION_EVERY, OUTBOX_KEEP, INBOX_KEEP }, more = []) {
      const everyMs = durationMs(RETENTION_EVERY);
      const part = health.part('retention', everyMs + health.stalledAfterMs);
      const rules = [
        { table: 'outbox', since: 'published_at', keepMs: durationMs(OUTBOX_KEEP) },
        { table: 'inbox', since: 'done_at', keepMs: durationMs(INBOX_KEEP) },
        ...more,
      ];
      onStop('retention', startRetention({ db, rules, everyMs, health: part, logger, metrics }));
    },
    consumer(options) {
      const part = health.part(`consumer ${options.topic}`, health.stalledAfterMs);
      // A group for each topic: kafkajs deals partitions out as if all members of a group read the same topics.
      const reader = {
        kafka: options.kafka,
        topic: options.topic,
        groupId: `${name}.${options.topic}`,
        logger,
        metrics,
      };
      let assigned: number[] = [];
      const onAssigned = (partitions: number[]) => void (assigned = partitions);
      onStop(
        `consumer ${options.topic}`,
        startConsumer({
          ...options,
          ...reader,
          service: name,
          secret: secretToAskFor(settings, options.topic),
          health: part,
          onAssigned,
        }),
      );
      const lag = health.part(`progress ${options.topic}`, 2 * health.stalledAfterMs);
      const { stalledAfterMs } = health;
      onStop(
        `progress ${options.topic}`,
        watchLag({ ...reader, assigned: () => assigned, stalledAfterMs, health: lag }),
      );
    },
    engine(address) {
      const engine = createEngine(address);
      onStop('engine', () => engine.close());
      return engine;
    },
    worker(job, handler, { engine, db, producer, settings: pace }) {
      const report: JobReport = {
        started: startedSender(producer),
        trouble: (event) => addToOutbox(db, [event]),
      };
      const part = health.part(`worker ${job.type}`, health.stalledAfterMs);
      const options = { engine, report, logger, metrics, health: part };
      onStop(
        `worker ${job.type}`,
        startWorker(job, handler, {
          ...options,
          leaseMs: durationMs(pace.JOB_TIMEOUT),
          retryBackOffMs: durationMs(pace.RETRY_BACKOFF),
          concurrency: pace.JOB_CONCURRENCY,
        }),
      );
    },
    async listen(app, port) {
      const variable = `${name.replace(/-.*/, '').toUpperCase()}_PORT`; // order-service: ORDER_PORT
      const listening = await listen(app, port, settings.BIND_ADDRESS, variable);
      onStop('http', () => closeServer(listening.server));
      logger.info('listening', { port: listening.port });
      return listening.port;
    },
  };
}
