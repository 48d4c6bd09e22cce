/** An order-service for tests: the real app on a real database, without Kafka and engine. */
import { type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { once } from 'node:events';
import { jobs } from '@ticket-saga/contract/jobs';
import type { OrderStepsEvent, StepMoved } from '@ticket-saga/contract/topics';
import type { Db } from '@ticket-saga/runtime/database';
import { createHealth } from '@ticket-saga/runtime/health';
import { createAuthenticate, type IdentitySettings } from '@ticket-saga/runtime/identity';
import { createLogger } from '@ticket-saga/runtime/logger';
import { createMetrics } from '@ticket-saga/runtime/metrics';
import type { Express } from 'express';
import request from 'supertest';
import { testContext } from '../../test/support/context.ts';
import { testDatabase, type TestDatabase } from '../../test/support/postgres.ts';
import { createOrderApp } from '../app.ts';
import type { AskInventory } from '../catalog.ts';
import { readDiagrams } from '../diagram.ts';
import { createOrderEvents, type OrderEvents } from '../order-events.ts';
import { noteStep } from '../steps.ts';

export const techlead = `Basic ${Buffer.from('techlead:zup@123').toString('base64')}`;

const localSettings: IdentitySettings = {
  AUTH_MODE: 'local',
  BIND_ADDRESS: '127.0.0.1',
  OPERATOR_USER: 'techlead',
  OPERATOR_PASSWORD: 'zup@123',
  JWT_ALGORITHM: 'ES256',
};

export type TestService = { app: Express; db: Db; orderEvents: OrderEvents };
export type OwnService = TestService & {
  database: TestDatabase;
  /** Places an order for one ticket of product `1`, and returns its id. */
  place(): Promise<string>;
  stop(): Promise<void>;
};
type Options = {
  askInventory?: AskInventory;
  identity?: Partial<IdentitySettings>;
  idempotencyKeepMs?: number;
  heartbeatMs?: number;
};

export async function testService(database: TestDatabase, options: Options = {}): Promise<TestService> {
  const logger = createLogger('test', process.env['TEST_LOG'] ?? 'error');
  const identity = { ...localSettings, ...options.identity };
  const health = createHealth();
  const db = database.db('orders');
  const diagram = await readDiagrams();
  const orderEvents = createOrderEvents({
    url: database.url('orders'),
    db,
    diagram,
    health: health.part('order events'),
    logger,
    heartbeatMs: options.heartbeatMs ?? 15_000,
  });
  const appParts = { service: 'order-service', version: 'test', logger, health, metrics: createMetrics('test') };
  const app = createOrderApp(appParts, createAuthenticate(identity), {
    db,
    diagram,
    askInventory: options.askInventory ?? (async () => undefined),
    orderEvents,
    logger,
    idempotencyKeepMs: options.idempotencyKeepMs ?? 60_000,
    settings: { AUTH_MODE: identity.AUTH_MODE, PAYMENT_DEADLINE: 'PT15M' },
  });
  return { app, db, orderEvents };
}

/** A service for the tests of one file: on a database of its own, with a catalogue. `stop` ends both. */
export async function ownService(options?: Options): Promise<OwnService> {
  const database = await testDatabase();
  const service = await testService(database, options);
  await addCatalog(service.db);
  const stop = async () => {
    await service.orderEvents.stop();
    await database.drop();
  };
  const place = async () => (await request(service.app).post('/orders').send({ productId: '1', quantity: 1 })).body.id;
  return { ...service, database, place, stop };
}

/** Products `1` at 199.00 and `two` at 10.50. */
export async function addCatalog(db: Db): Promise<void> {
  await db.catalogProduct.createMany({
    data: [
      { id: '1', name: 'standard', price: 199_00, version: 1 },
      { id: 'two', name: 'second', price: 10_50, version: 1 },
    ],
  });
}

export async function listening(app: Express): Promise<{ url: string; close(): Promise<void> }> {
  const server: Server = app.listen(0, '127.0.0.1');
  await once(server, 'listening');
  const { port } = server.address() as AddressInfo;
  return {
    url: `http://127.0.0.1:${port}`,
    close: async () => {
      server.closeAllConnections();
      server.close();
      await once(server, 'close');
    },
  };
}

export const jobContext = (orderId: string, job: keyof typeof jobs, attempt = 1) =>
  testContext({ orderId, job: jobs[job], attempt });

/** Tells the order what a step of another service did. */
export async function tellStep(
  db: Db,
  orderId: string,
  elementId: string,
  more: Partial<StepMoved> = {},
): Promise<void> {
  const state = more.state ?? 'COMPLETED';
  const event: OrderStepsEvent = {
    idempotencyKey: `step:77:${elementId}:${more.attempt ?? 1}:${state}`,
    type: 'STEP',
    orderId,
    occurredAt: new Date().toISOString(),
    processInstanceKey: '77',
    elementId,
    stage: 'Processing',
    state,
    attempt: 1,
    ...more,
  };
  await noteStep(db, event);
}
