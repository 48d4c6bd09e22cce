/** `POST /reconciliation/outbox/publish`, with the real relay on a real outbox and a broker that may refuse. */
import { afterAll, beforeAll, expect, test } from '@jest/globals';
import type { Express } from 'express';
import request from 'supertest';
import { topics } from '../../contract/topics.ts';
import { testDatabase, type TestDatabase } from '../../test/support/postgres.ts';
import { createApi } from '../api.ts';
import { createHealth } from '../health.ts';
import { createApp, finishApp } from '../http.ts';
import { createAuthenticate } from '../identity.ts';
import { createLogger } from '../logger.ts';
import { createMetrics } from '../metrics.ts';
import { addToOutbox } from '../outbox.ts';
import { addOutboxRoutes } from '../reconciliation.ts';
import { type Relay, startRelay } from '../relay.ts';

let database: TestDatabase;
let relay: Relay;
let refuses = false;
const logger = createLogger('test', 'silent');
const service = 'order-service';
const appParts = { service, version: 'test', logger, health: createHealth(), metrics: createMetrics(service) };

beforeAll(async () => {
  database = await testDatabase();
  const send = async () => {
    if (refuses) throw new Error('the topic does not exist');
  };
  relay = startRelay({
    url: database.url('orders'),
    schema: 'orders',
    producer: { send, stop: async () => undefined },
    health: appParts.health.part('relay'),
    logger,
    metrics: appParts.metrics,
  });
});
afterAll(async () => {
  await relay.stop();
  await database.drop();
});

function app(of?: Relay): Express {
  const made = createApp(appParts);
  const settings = { AUTH_MODE: 'local', BIND_ADDRESS: '127.0.0.1', JWT_ALGORITHM: 'RS256' } as const;
  const operator = { OPERATOR_USER: 'techlead', OPERATOR_PASSWORD: 'zup@123' };
  const info = { title: service, version: 'test', description: 'test' };
  const api = createApi(made, info, createAuthenticate({ ...settings, ...operator }));
  addOutboxRoutes(api, database.db('orders'), of);
  api.close();
  return finishApp(made, logger);
}
const publish = (of?: Relay) => request(app(of)).post('/reconciliation/outbox/publish');

test('sends what waits and says what is left; while the broker refuses, why', async () => {
  refuses = true;
  const event = { topic: topics.createdOrders, key: 'a', value: { idempotencyKey: 'a' } };
  await addToOutbox(database.db('orders'), [event]);
  const refused = await publish(relay).auth('techlead', 'zup@123');
  expect(refused).toMatchObject({ status: 503, body: { code: 'DEPENDENCY_UNAVAILABLE' } });
  expect(refused.body.detail).toBe('Events wait in the outbox: the topic does not exist');
  refuses = false;
  const published = await publish(relay).auth('techlead', 'zup@123');
  expect(published).toMatchObject({ status: 200, body: { unsent: 0, oldestAge: 0 } });
});

test('is for operators, and cannot be done where no relay runs', async () => {
  expect((await publish(relay)).status).toBe(401);
  const nobody = await publish().auth('techlead', 'zup@123');
  expect(nobody).toMatchObject({ status: 409, body: { code: 'ACTION_NOT_POSSIBLE' } });
});
