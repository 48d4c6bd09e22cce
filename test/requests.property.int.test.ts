/** Random requests at every route of the services: never a failure of ours, and what is refused stores nothing. */
import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import fc from 'fast-check';
import { addCatalog, listening, testService } from '../order-service/test/support.ts';
import { createInventoryApp } from '../inventory-service/app.ts';
import { createProduct } from '../inventory-service/products.ts';
import { createWorld, webhookSecret, type World } from '../payment-service/test/world.ts';
import { signWebhook } from '../provider-simulator/signature.ts';
import { createHealth } from '../runtime/health.ts';
import { createAuthenticate } from '../runtime/identity.ts';
import { createLogger } from '../runtime/logger.ts';
import { createMetrics } from '../runtime/metrics.ts';
import { ask, complaintOf, type FuzzRequest, routesOf } from './support/http-fuzz.ts';
import { propertySettings, propertyTimeoutMs } from './support/property.ts';
import { rowCounts } from './support/row-counts.ts';

const techlead = `Basic ${Buffer.from('techlead:zup@123').toString('base64')}`;
const services: Record<string, { url: string; ids: string[]; headers: Record<string, string>; sign?: typeof signed }> =
  {};
const closing: (() => Promise<unknown>)[] = [];
let world: World;

beforeAll(async () => {
  world = await createWorld();
  const { database } = world;
  const orders = await testService(database);
  await addCatalog(orders.db);
  const order = await listening(orders.app);
  const placed: unknown = await (
    await fetch(`${order.url}/orders`, {
      method: 'POST',
      headers: { 'content-type': 'application/json' },
      body: '{"productId":"1","quantity":1}',
    })
  ).json();
  const orderId = String(Object(placed).id);
  await world.request(orderId, 'tok_never');
  const paymentId = (await world.payment(orderId)).id;

  const inventoryDb = database.db('inventory');
  await createProduct(inventoryDb, { id: 'show', name: 'show', price: 10_00, stock: 5 });
  const logger = createLogger('test', 'error');
  logger.silent = true;
  const authenticate = createAuthenticate({
    AUTH_MODE: 'local',
    BIND_ADDRESS: '127.0.0.1',
    OPERATOR_USER: 'techlead',
    OPERATOR_PASSWORD: 'zup@123',
    JWT_ALGORITHM: 'RS256',
  });
  const appParts = {
    service: 'inventory-service',
    version: 'test',
    logger,
    health: createHealth(),
    metrics: createMetrics('i'),
  };
  const inventory = await listening(createInventoryApp(appParts, inventoryDb, authenticate));

  const operator = { authorization: techlead };
  const ids = [orderId, paymentId, 'show'];
  services['order-service'] = { url: order.url, ids, headers: {} };
  services['inventory-service'] = { url: inventory.url, ids, headers: operator };
  services['payment-service'] = { url: world.paymentUrl, ids, headers: operator, sign: signed };
  services['provider-simulator'] = {
    url: world.providerUrl,
    ids,
    headers: { authorization: world.providerHeaders.Authorization ?? '' },
  };
  closing.push(order.close, inventory.close, () => orders.orderEvents.stop());
}, 60_000);
afterAll(async () => {
  for (const close of closing) await close();
  await world.stop();
});

/** A webhook counts only with the right signature; any other request does not mind one. */
function signed(request: FuzzRequest): FuzzRequest {
  const signature = signWebhook(webhookSecret, request.body?.toString('latin1') ?? '', new Date());
  return { ...request, headers: { 'webhook-signature': signature, ...request.headers } };
}

describe.each(['order-service', 'inventory-service', 'payment-service', 'provider-simulator'])('%s', (name) => {
  test(
    'answers whatever comes at any of its routes, and keeps nothing of what it refuses',
    async () => {
      const service = services[name];
      if (!service) throw new Error(`${name} does not run`);
      const routes = await routesOf(service.url, service);
      expect(routes.length).toBeGreaterThan(1);
      for (const route of routes) {
        const property = fc.asyncProperty(route.requests, async (request) => {
          const before = await rowCounts(world.database);
          const answer = await ask(service.url, request);
          const complaint = complaintOf(answer, ['NOT_KNOWN_YET', ...unavailableByToken(request)]);
          if (complaint) throw new Error(`${request.method} ${request.path}: ${complaint}`);
          if (answer.status >= 400) expect(await rowCounts(world.database)).toEqual(before);
        });
        await fc.assert(property, propertySettings(15));
      }
    },
    propertyTimeoutMs,
  );
});

/** The simulator is away on purpose for some tokens. */
const unavailableByToken = ({ body }: FuzzRequest) => (body?.includes('tok_') ? ['DEPENDENCY_UNAVAILABLE'] : []);
