/** The orchestrator: deploys the diagrams, starts a process for each order, and brings it the payment's result. */
import { createdOrdersEvent, deadLetter, paymentEvent, topics } from '@ticket-saga/contract/topics';
import {
  duration,
  durationMs,
  engineSettings,
  identitySettings,
  kafkaSettings,
  port,
  readConfigOrExit,
  refuseLocalSecrets,
  retentionSettings,
  serviceSettings,
  servicesSettings,
} from '@ticket-saga/runtime/config';
import { createAuthenticate } from '@ticket-saga/runtime/identity';
import { publishOutbox } from '@ticket-saga/runtime/reconciliation';
import { runService } from '@ticket-saga/runtime/service';
import { z } from 'zod';
import { createOrchestratorApp } from './app.ts';
import { readCompensationHandlers } from './compensation-handlers.ts';
import { keepDeadLetter, keepForeign } from './dead-letters.ts';
import { keepDeployed } from './deploy.ts';
import { createOperate } from './operate.ts';
import { handleOrderEvent } from './orders.ts';
import { handlePaymentEvent } from './payment-results.ts';
import { createProviderBooks } from './provider-books.ts';
import { keepRefunding } from './refund-runner.ts';
import { createReconciler, keepReconciling } from './reconcile-schedule.ts';
import { retentionRules } from './retention.ts';
import { createRunningProcesses } from './running-processes.ts';
import { createServices } from './services.ts';

const config = readConfigOrExit(
  z.object({
    ...serviceSettings,
    ...kafkaSettings,
    ...engineSettings,
    ...identitySettings,
    ...retentionSettings,
    ...servicesSettings,
    ORCHESTRATOR_PORT: port(8083),
    OPERATE_URL: z.url().default('http://127.0.0.1:8088'),
    /** How long a customer may take to pay: the only source of that limit. */
    PAYMENT_DEADLINE: duration('PT15M'),
    HOLD_GRACE: duration('PT5M'),
    /** An order older than this when it comes to the engine is not started any more. */
    ORDER_MAX_AGE: duration('P1D'),
    /** An order on its way of which nothing was heard for this long, its time to pay being over, is listed as stuck. */
    SILENT_AFTER: duration('PT10M'),
    /** Late money reinstates an order that ended no longer ago than this; else it goes back. */
    REINSTATE_WITHIN: duration('PT1H'),
    /** Dead letters that were replayed or discarded, and runs of the reconciliation with what they found. */
    DEAD_LETTER_KEEP: duration('P180D'),
    RECONCILIATION_KEEP: duration('P90D'),
    /** Orders that a refund of a product works on at the same time. */
    REFUNDS_AT_ONCE: z.coerce.number().int().min(1).max(1_000).default(10),
    PAYMENT_EVENT_SECRET: z.string().min(8).default('local-payment-event-secret'),
    /** Where Operate answers this service; default: where it answers browsers. */
    OPERATE_API_URL: z.url().optional(),
    OPERATE_USER: z.string().default('techlead'),
    OPERATE_PASSWORD: z.string().default('zup@123'),
    PROVIDER_URL: z.url().default('http://127.0.0.1:8089'),
    PROVIDER_API_KEY: z.string().min(1).default('local-provider-key'),
    /** How often the shop's books are held against each other. */
    RECONCILE_EVERY: duration('PT1H'),
    /** Whether the scheduled runs repair what they find, or only report it. */
    RECONCILE_REPAIR: z.stringbool().default(false),
    /** What changed within this time is left for the next run, and how long a suspect waits for the second look. */
    RECONCILE_SETTLE: duration('PT30S'),
    /** What may be under way for a while counts as lost after it. */
    RECONCILE_OVERDUE: duration('PT5M'),
  }),
);

await runService('orchestrator', config, async (service) => {
  const { PAYMENT_EVENT_SECRET, PROVIDER_API_KEY } = config;
  refuseLocalSecrets(config, { PAYMENT_EVENT_SECRET, PROVIDER_API_KEY });
  const authenticate = createAuthenticate(config);
  const db = service.database('orchestration');
  const { kafka, producer } = service.kafka(config.KAFKA_BROKERS);
  const relay = service.relay('orchestration', producer);
  service.retention(db, config, retentionRules(config));
  const engine = service.engine(config.ZEEBE_GRPC_ADDRESS);
  const services = createServices(config);
  const operateSettings = { ...config, OPERATE_URL: config.OPERATE_API_URL ?? config.OPERATE_URL };
  const operate = createOperate(operateSettings);
  const compensationHandlers = readCompensationHandlers();
  const parts = { db, engine, services, operate, compensationHandlers, logger: service.logger, settings: config };
  keepDeployed(service, parts);
  service.consumer({
    kafka,
    producer,
    topic: topics.createdOrders,
    schema: createdOrdersEvent,
    handle: (event) => handleOrderEvent(parts, event),
  });
  service.consumer({
    kafka,
    producer,
    topic: topics.paymentEvent,
    schema: paymentEvent,
    handle: (event, meta) => handlePaymentEvent(parts, event, meta),
  });
  service.consumer({
    kafka,
    producer,
    topic: topics.deadLetters,
    schema: deadLetter,
    handle: (letter, { rawValue }) => keepDeadLetter(db, letter, rawValue),
    unreadable: (meta) => keepForeign(db, meta),
  });
  const refunds = service.health.part('refunds', 120_000);
  service.onStop('refunds', keepRefunding(parts, config.REFUNDS_AT_ONCE, refunds));
  const reconciler = createReconciler({
    ...parts,
    books: createProviderBooks(config),
    running: createRunningProcesses(operateSettings),
    publishOutbox: () => publishOutbox(db, relay),
    times: {
      settle: durationMs(config.RECONCILE_SETTLE) / 1_000,
      overdue: durationMs(config.RECONCILE_OVERDUE) / 1_000,
    },
  });
  service.onStop('reconciliation', reconciler.stop);
  const schedule = { everyMs: durationMs(config.RECONCILE_EVERY), repair: config.RECONCILE_REPAIR };
  service.onStop('reconciliation schedule', keepReconciling(parts, reconciler, service.metrics, schedule));
  const app = createOrchestratorApp(service.appParts, authenticate, { ...parts, reconciler });
  await service.listen(app, config.ORCHESTRATOR_PORT);
});
