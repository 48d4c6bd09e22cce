/** Random requests at every route of the services: never a failure of ours, and what is refused stores nothing. */
import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import fc from 'fast-check';
import { addCatalog, listening, tellStep, testService } from '../order-service/test/support.ts';
import { createInventoryApp } from '../inventory-service/app.ts';
import { createProduct } from '../inventory-service/products.ts';
import { createWorld, webhookSecret, type World } from '../payment-service/test/world.ts';
import { signWebhook } from '../provider-simulator/signature.ts';
import { createHealth } from '../runtime/health.ts';
import { createAuthenticate } from '../runtime/identity.ts';
import { createLogger } from '../runtime/logger.ts';
import { createMetrics } from '../runtime/metrics.ts';
import { ask, complaintOf, type FuzzRequest, routesOf } from './support/http-fuzz.ts';
import { openOrchestrator } from './support/orchestrator.ts';
import { propertySettings, propertyTimeoutMs } from './support/property.ts';
import { rowCounts } from './support/row-counts.ts';

const techlead = `Basic ${Buffer.from('techlead:zup@123').toString('base64')}`;
type Service = {
  url: string;
  ids: string[];
  headers: Record<string, string>;
  sign?: typeof signed;
  /** Calls of the service to what is not stored here. */
  calls?: () => number;
  /** Requests for each route: more where few get past the first checks. */
  runs?: number;
};
const services: Record<string, Service> = {};
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

  // A step of each of three runs hangs: one alone would be begun anew once.
  const processInstanceKey = '2251799813685249';
  for (const elementInstanceKey of ['21', '22', '23'])
    await tellStep(orders.db, orderId, 'RequestPayment', {
      state: 'STUCK',
      processInstanceKey,
      elementInstanceKey,
      idempotencyKey: `stuck ${elementInstanceKey}`,
    });
  const orchestrator = await openOrchestrator({
    database,
    authenticate,
    urls: { ORDER_URL: order.url, INVENTORY_URL: inventory.url, PAYMENT_URL: world.paymentUrl },
    orderId,
    productId: 'show',
    processInstanceKey,
  });

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
  services['orchestrator'] = {
    url: orchestrator.url,
    ids: [...orchestrator.ids, 'RequestPayment'],
    headers: operator,
    calls: orchestrator.engineCalls,
    runs: 30,
  };
  closing.push(orchestrator.close, order.close, inventory.close, () => orders.orderEvents.stop());
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

const auditTrail = 'orchestration.operator_action';
const stored = async ({ calls }: Service): Promise<Record<string, number>> => ({
  ...(await rowCounts(world.database)),
  calls: calls?.() ?? 0,
});

describe.each(['order-service', 'inventory-service', 'payment-service', 'provider-simulator', 'orchestrator'])(
  '%s',
  (name) => {
    test(
      'answers whatever comes at any of its routes, and keeps nothing of what it refuses',
      async () => {
        const service = services[name];
        if (!service) throw new Error(`${name} does not run`);
        const routes = await routesOf(service.url, service);
        expect(routes.length).toBeGreaterThan(1);
        for (const route of routes) {
          const property = fc.asyncProperty(route.requests, async (request) => {
            const before = await stored(service);
            const answer = await ask(service.url, request);
            const complaint = complaintOf(answer, ['NOT_KNOWN_YET', ...unavailableByToken(request)]);
            if (complaint) throw new Error(`${request.method} ${request.path}: ${complaint}`);
            if (answer.status < 400) return;
            // What an operator was refused, though the request was in order, stands in the audit trail.
            const audited = { ...before, [auditTrail]: (before[auditTrail] ?? 0) + 1 };
            const isAudited = answer.status === 404 || answer.status === 409;
            const allowed = isAudited && route.name.startsWith('POST /operations/') ? [before, audited] : [before];
            expect(allowed).toContainEqual(await stored(service));
          });
          const settings = propertySettings(service.runs ?? 15);
          // Each route has its share of the time.
          await fc.assert(property, { ...settings, interruptAfterTimeLimit: propertyTimeoutMs / (routes.length + 2) });
        }
      },
      propertyTimeoutMs,
    );
  },
);

/** The simulator is away on purpose for some tokens. */
const unavailableByToken = ({ body }: FuzzRequest) => (body?.includes('tok_') ? ['DEPENDENCY_UNAVAILABLE'] : []);

test.each(['.', '..'])(
  'a refund of all of a product named %j is refused: it is the address of something else',
  async (id) => {
    const headers = { authorization: techlead, 'content-type': 'application/json' };
    const body = JSON.stringify({ productId: id, reason: 'rain' });
    const answer = await fetch(`${services['orchestrator']?.url}/operations/refunds`, {
      method: 'POST',
      headers,
      body,
    });
    expect([answer.status, await answer.json()]).toEqual([422, expect.objectContaining({ code: 'INVALID_INPUT' })]);
  },
);
