/** order-service: takes orders over HTTP, ends them for the process, and keeps their timeline. */
import { catalogEvent, orderStepsEvent, topics } from '@ticket-saga/contract/topics';
import {
  duration,
  durationMs,
  engineSettings,
  identitySettings,
  kafkaSettings,
  port,
  readConfigOrExit,
  retentionSettings,
  serviceSettings,
} from '@ticket-saga/runtime/config';
import { databaseUrl } from '@ticket-saga/runtime/database-url';
import { createAuthenticate } from '@ticket-saga/runtime/identity';
import { runService } from '@ticket-saga/runtime/service';
import { z } from 'zod';
import { createOrderApp } from './app.ts';
import { createAskInventory, noteProduct } from './catalog.ts';
import { readDiagrams } from './diagram.ts';
import { watchIncidents } from './incidents.ts';
import { createOperate } from './operate.ts';
import { createOrderEvents } from './order-events.ts';
import { noteStep } from './steps.ts';
import { noteDeadLetter } from './trouble.ts';
import { startWorkers } from './workers.ts';

const config = readConfigOrExit(
  z.object({
    ...serviceSettings,
    ...kafkaSettings,
    ...engineSettings,
    ...identitySettings,
    ...retentionSettings,
    ORDER_PORT: port(8080),
    INVENTORY_URL: z.url().default('http://127.0.0.1:8081'),
    /** An order may only shorten it; the process gets it from the orchestrator's setting of the same name. */
    PAYMENT_DEADLINE: duration('PT15M'),
    IDEMPOTENCY_KEEP: duration('P1D'),
    OPERATE_URL: z.url().default('http://127.0.0.1:8088'),
    OPERATE_USER: z.string().default('techlead'),
    OPERATE_PASSWORD: z.string().default('zup@123'),
  }),
);

await runService('order-service', config, async (service) => {
  const { logger } = service;
  const authenticate = createAuthenticate(config);
  const diagram = await readDiagrams();
  const db = service.database('orders');
  const { kafka, producer } = service.kafka(config.KAFKA_BROKERS);
  const relay = service.relay('orders', producer);
  const idempotencyKeepMs = durationMs(config.IDEMPOTENCY_KEEP);
  service.retention(db, config, [{ table: 'idempotency_key', since: 'created_at', keepMs: idempotencyKeepMs }]);
  const engine = service.engine(config.ZEEBE_GRPC_ADDRESS);
  startWorkers(service, { engine, db, producer, settings: config });
  const from = { kafka, producer };
  service.consumer({
    ...from,
    topic: topics.orderSteps,
    schema: orderStepsEvent,
    handle: (event) => noteStep(db, event),
  });
  service.consumer({ ...from, topic: topics.catalog, schema: catalogEvent, handle: (event) => noteProduct(db, event) });
  service.consumer({
    ...from,
    topic: topics.deadLetters,
    schema: z.unknown(),
    handle: (letter) => noteDeadLetter(db, letter, logger),
    unreadable: async () => undefined, // the orchestrator shows it to operators
  });
  service.onStop('incidents', watchIncidents({ db, diagram, operate: createOperate(config), logger }));
  const orderEvents = createOrderEvents({
    url: databaseUrl('orders', config),
    db,
    diagram,
    health: service.health.part('order events', service.health.stalledAfterMs),
    logger,
  });
  const askInventory = createAskInventory(config.INVENTORY_URL, logger);
  const parts = { db, diagram, askInventory, orderEvents, logger, relay, idempotencyKeepMs, settings: config };
  await service.listen(createOrderApp(service.appParts, authenticate, parts), config.ORDER_PORT);
  // Stopped first: the HTTP server waits for its open answers.
  service.onStop('order events', () => orderEvents.stop());
});
