/** inventory-service: products, stock, reservations. */
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
import { createAuthenticate } from '@ticket-saga/runtime/identity';
import { runService } from '@ticket-saga/runtime/service';
import { z } from 'zod';
import { createInventoryApp } from './app.ts';
import { startSweeper } from './sweeper.ts';
import { startWorkers } from './workers.ts';

const config = readConfigOrExit(
  z.object({
    ...serviceSettings,
    ...kafkaSettings,
    ...engineSettings,
    ...identitySettings,
    ...retentionSettings,
    INVENTORY_PORT: port(8081),
    /** How long a hold outlives the payment's deadline. */
    HOLD_GRACE: duration('PT5M'),
    /** How often forgotten holds are looked for. */
    SWEEP_INTERVAL: duration('PT10S'),
  }),
);

await runService('inventory-service', config, async (service) => {
  const authenticate = createAuthenticate(config);
  const db = service.database('inventory');
  const { producer } = service.kafka(config.KAFKA_BROKERS);
  const relay = service.relay('inventory', producer);
  service.retention(db, config);
  const engine = service.engine(config.ZEEBE_GRPC_ADDRESS);
  startWorkers(service, { engine, db, producer, settings: config }, config.HOLD_GRACE);
  const intervalMs = durationMs(config.SWEEP_INTERVAL);
  const health = service.health.part('sweeper', 3 * intervalMs + service.health.stalledAfterMs);
  service.onStop('sweeper', startSweeper({ db, intervalMs, health, logger: service.logger }));
  await service.listen(createInventoryApp(service.appParts, db, authenticate, relay), config.INVENTORY_PORT);
});
