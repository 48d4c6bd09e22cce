/** The orchestrator: deploys the diagrams, starts a process for each order, and brings it the payment's result. */
import { createdOrdersEvent, paymentEvent, topics } from '@ticket-saga/contract/topics';
import {
  duration,
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
import { runService } from '@ticket-saga/runtime/service';
import { z } from 'zod';
import { createOrchestratorApp } from './app.ts';
import { keepDeployed } from './deploy.ts';
import { handleOrderEvent } from './orders.ts';
import { handlePaymentEvent } from './payment-results.ts';
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
    PAYMENT_EVENT_SECRET: z.string().min(8).default('local-payment-event-secret'),
  }),
);

await runService('orchestrator', config, async (service) => {
  refuseLocalSecrets(config, { PAYMENT_EVENT_SECRET: config.PAYMENT_EVENT_SECRET });
  const authenticate = createAuthenticate(config);
  const db = service.database('orchestration');
  const { kafka, producer } = service.kafka(config.KAFKA_BROKERS);
  service.relay('orchestration', producer);
  service.retention(db, config);
  const engine = service.engine(config.ZEEBE_GRPC_ADDRESS);
  const services = createServices(config);
  const parts = { db, engine, services, logger: service.logger, settings: config };
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
  await service.listen(createOrchestratorApp(service.appParts, authenticate, config), config.ORCHESTRATOR_PORT);
});
