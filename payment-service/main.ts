/** payment-service: requests, voids and refunds payments at the provider, and hears what it decided. */
import { paymentEvent, topics } from '@ticket-saga/contract/topics';
import {
  duration,
  durationMs,
  engineSettings,
  identitySettings,
  kafkaSettings,
  keep,
  port,
  readConfigOrExit,
  refuseLocalSecrets,
  retentionSettings,
  serviceSettings,
} from '@ticket-saga/runtime/config';
import { createAuthenticate } from '@ticket-saga/runtime/identity';
import { runService } from '@ticket-saga/runtime/service';
import { z } from 'zod';
import { createPaymentApp } from './app.ts';
import { bookManual } from './manual.ts';
import { startPoller } from './poller.ts';
import { createProvider } from './provider.ts';
import { startWorkers } from './workers.ts';

const config = readConfigOrExit(
  z.object({
    ...serviceSettings,
    ...kafkaSettings,
    ...engineSettings,
    ...identitySettings,
    ...retentionSettings,
    PAYMENT_PORT: port(8082),
    /** Where the provider finds this service; by default this machine. */
    PAYMENT_URL: z.url().optional(),
    PROVIDER_URL: z.url().default('http://127.0.0.1:8089'),
    PROVIDER_API_KEY: z.string().min(1).default('local-provider-key'),
    /** How long a call to the provider may take. */
    PROVIDER_TIMEOUT: duration('PT5S'),
    WEBHOOK_SECRET: z.string().min(1).default('local-webhook-secret'),
    /** Signs what is written to `payment-event`; the orchestrator has the same. */
    PAYMENT_EVENT_SECRET: z.string().min(8).default('local-payment-event-secret'),
    /** A request without an answer for this long is asked about. */
    PAYMENT_ASK_AFTER: duration('PT30S'),
    /** Which calls of the provider were heard. */
    WEBHOOK_KEEP: keep('P30D', 7 * 24 * 60 * 60 * 1000, 'a provider may repeat a call for days'),
  }),
);

await runService('payment-service', config, async (service) => {
  const { PAYMENT_EVENT_SECRET, WEBHOOK_SECRET, PROVIDER_API_KEY } = config;
  refuseLocalSecrets(config, { PAYMENT_EVENT_SECRET, WEBHOOK_SECRET, PROVIDER_API_KEY });
  const authenticate = createAuthenticate(config);
  const db = service.database('payments');
  const { kafka, producer } = service.kafka(config.KAFKA_BROKERS);
  const relay = service.relay('payments', producer);
  const webhooksKeptMs = durationMs(config.WEBHOOK_KEEP);
  service.retention(db, config, [{ table: 'webhook_call', since: 'received_at', keepMs: webhooksKeptMs }]);
  const provider = createProvider({
    url: config.PROVIDER_URL,
    apiKey: config.PROVIDER_API_KEY,
    timeoutMs: durationMs(config.PROVIDER_TIMEOUT),
    callbackUrl: new URL('/webhooks/payments', config.PAYMENT_URL ?? `http://127.0.0.1:${config.PAYMENT_PORT}`).href,
  });
  const parts = { db, provider, eventSecret: config.PAYMENT_EVENT_SECRET, logger: service.logger };
  const engine = service.engine(config.ZEEBE_GRPC_ADDRESS);
  startWorkers(service, parts, { engine, db, producer, settings: config });
  service.consumer({
    kafka,
    producer,
    topic: topics.paymentEvent,
    schema: paymentEvent,
    handle: (event, meta) => bookManual(parts, config.AUTH_MODE, event, meta),
  });
  const askAfterMs = durationMs(config.PAYMENT_ASK_AFTER);
  const poller = service.health.part('poller', askAfterMs + service.health.stalledAfterMs);
  service.onStop('poller', startPoller(parts, askAfterMs, poller));
  const webhookSecret = config.WEBHOOK_SECRET;
  const app = createPaymentApp(service.appParts, { ...parts, webhookSecret, authenticate, relay });
  await service.listen(app, config.PAYMENT_PORT);
});
