/**
 * Every route of every service, as its own description lists them, in JWT mode: a bad token opens none, a customer's
 * token none of those for operators. A route that is added is tested with the others.
 */
import type { Server } from 'node:http';
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { createHealth } from '@ticket-saga/runtime/health';
import { closeServer, listen } from '@ticket-saga/runtime/http';
import { createAuthenticate } from '@ticket-saga/runtime/identity';
import { createLogger } from '@ticket-saga/runtime/logger';
import { createMetrics } from '@ticket-saga/runtime/metrics';
import type { Express } from 'express';
import { exportSPKI, generateKeyPair, SignJWT } from 'jose';
import request from 'supertest';
import { z } from 'zod';
import { createInventoryApp } from '../../inventory-service/app.ts';
import { createOrchestratorApp } from '../../orchestrator/app.ts';
import { createOrderApp } from '../../order-service/app.ts';
import { createPaymentApp } from '../../payment-service/app.ts';

const keys = await generateKeyPair('RS256');
const publicPem = await exportSPKI(keys.publicKey);
const authenticate = createAuthenticate({
  AUTH_MODE: 'jwt',
  BIND_ADDRESS: '0.0.0.0',
  OPERATOR_USER: 'techlead',
  OPERATOR_PASSWORD: 'zup@123',
  JWT_PUBLIC_KEY: publicPem,
  JWT_ALGORITHM: 'RS256',
  JWT_ISSUER: 'https://login.example',
  JWT_AUDIENCE: 'shop',
});

/** Stands where a part of a service would: whoever is refused never gets as far as to use one. */
const untouched: unknown = new Proxy(function part() {}, {
  get(_target, name) {
    if (name === 'then') return undefined; // no promise
    if (name === 'authenticate') return authenticate;
    if (name === 'AUTH_MODE') return 'jwt';
    if (name === 'PAYMENT_DEADLINE') return 'PT15M';
    return typeof name === 'string' && /^[A-Z_]+$/.test(name) ? 'PT1M' : untouched;
  },
});

const appParts = (service: string) => ({
  service,
  version: 'test',
  logger: createLogger('test', 'silent'),
  health: createHealth(),
  metrics: createMetrics(service),
});
/** Whatever an app takes after these, it gets a stand-in. */
const build = (create: (...parts: never[]) => Express, ...parts: unknown[]): Express =>
  Reflect.apply(create, undefined, [...parts, untouched, untouched, untouched]) as Express;
const apps: Record<string, Express> = {
  'order-service': build(createOrderApp, appParts('order-service'), authenticate),
  'inventory-service': build(createInventoryApp, appParts('inventory-service'), untouched, authenticate),
  'payment-service': build(createPaymentApp, appParts('payment-service')),
  orchestrator: build(createOrchestratorApp, appParts('orchestrator'), authenticate),
};

const methods = ['get', 'post', 'patch', 'put', 'delete'] as const;
const described = z.object({
  paths: z.record(
    z.string(),
    z.record(z.string(), z.object({ security: z.array(z.record(z.string(), z.unknown())) }).loose()),
  ),
});
type Access = 'public' | 'customer' | 'operator';
type Route = { method: (typeof methods)[number]; path: string; access: Access };

async function routesOf(app: Express): Promise<Route[]> {
  const { paths } = described.parse((await request(app).get('/openapi.json')).body);
  return Object.entries(paths).flatMap(([path, operations]) =>
    methods.flatMap((method) => {
      const operation = operations[method];
      if (!operation) return [];
      const ways = operation.security.flatMap((way) => Object.keys(way));
      const access: Access = ways.length === 0 ? 'public' : ways.includes('name') ? 'customer' : 'operator';
      return { method, path: path.replaceAll(/\{\w+\}/g, '0190a8c0-0000-7000-8000-000000000001'), access };
    }),
  );
}

const now = Math.floor(Date.now() / 1000);
const good = {
  sub: 'eve',
  roles: ['operator'],
  realm_access: { roles: ['offline_access'] },
  iss: 'https://login.example',
  aud: 'shop',
  exp: now + 300,
};
const signed = async (claims: object, key: Parameters<SignJWT['sign']>[0] = keys.privateKey, alg = 'RS256') =>
  `Bearer ${await new SignJWT({ ...good, ...claims }).setProtectedHeader({ alg }).sign(key)}`;
const base64 = (value: unknown) => Buffer.from(JSON.stringify(value)).toString('base64url');

/** Tokens that ask for everything and must get nothing. */
async function badTokens(): Promise<Record<string, string | undefined>> {
  const [header = '', payload = '', signature = ''] = (await signed({})).split('.');
  return {
    'no token': undefined,
    'a name, as in local mode': 'eve',
    'the login of local mode': `Basic ${Buffer.from('techlead:zup@123').toString('base64')}`,
    nonsense: 'Bearer abc',
    'signed by another': await signed({}, (await generateKeyPair('RS256')).privateKey),
    'changed after it was signed': `${header}.${base64({ ...good, sub: 'ann' })}.${signature}`,
    'without its signature': `${header}.${payload}.`,
    expired: await signed({ exp: now - 60 }),
    'not valid yet': await signed({ nbf: now + 300 }),
    'of another issuer': await signed({ iss: 'https://evil.example' }),
    'for another audience': await signed({ aud: 'bank' }),
    'with algorithm none': `Bearer ${base64({ alg: 'none' })}.${payload}.`,
    'with algorithm None': `Bearer ${base64({ alg: 'None' })}.${payload}.`,
    'signed with the public key as if it were a shared secret': await signed(
      {},
      new TextEncoder().encode(publicPem),
      'HS256',
    ),
    'that never ends': await signed({ exp: undefined }),
    'of nobody': await signed({ sub: undefined }),
  };
}

describe.each(Object.entries(apps))('%s', (name, app) => {
  let routes: Route[];
  let tokens: Record<string, string | undefined>;
  let listening: { server: Server; port: number };
  beforeAll(async () => {
    routes = await routesOf(app);
    tokens = await badTokens();
    listening = await listen(app, 0, '127.0.0.1');
  });
  afterAll(() => closeServer(listening.server));
  const call = ({ method, path }: Route, authorization: string | undefined) => {
    const sent = request(listening.server)[method](path);
    return authorization === undefined ? sent : sent.set('Authorization', authorization);
  };
  const guarded = () => routes.filter(({ access }) => access !== 'public');

  it('opens no guarded route to a bad token', async () => {
    for (const [what, token] of Object.entries(tokens)) {
      for (const route of guarded()) {
        const { status, body, headers } = await call(route, token);
        expect({ what, route, status, code: body.code }).toEqual({ what, route, status: 401, code: 'UNAUTHENTICATED' });
        expect(headers['www-authenticate']).toMatch(/^Bearer/);
      }
    }
  });

  it('opens every guarded route to a good token: what refuses above is the token, and nothing else', async () => {
    for (const route of guarded()) expect([401, 403]).not.toContain((await call(route, await signed({}))).status);
  });

  it('opens no route of operators to a customer', async () => {
    const customer = await signed({ roles: ['customer', 'Operator', 'operators'] });
    for (const route of routes.filter(({ access }) => access === 'operator')) {
      const { status, body } = await call(route, customer);
      expect({ route, status, code: body.code }).toEqual({ route, status: 403, code: 'FORBIDDEN' });
    }
  });

  it('guards what it must: nothing but this is open to everybody', () => {
    const open = routes.filter(({ access }) => access === 'public').map(({ method, path }) => `${method} ${path}`);
    const product = '/products/0190a8c0-0000-7000-8000-000000000001';
    const expected: Record<string, string[]> = {
      'inventory-service': ['get /products', `get ${product}`],
      'payment-service': ['post /webhooks/payments'],
      orchestrator: ['get /'],
    };
    expect(open.toSorted()).toEqual((expected[name] ?? []).toSorted());
  });
});

it('the orchestrator keeps all that is below /operations for operators', async () => {
  const app = apps['orchestrator'];
  const operations = app ? (await routesOf(app)).filter(({ path }) => path.startsWith('/operations')) : [];
  expect(operations.filter(({ access }) => access !== 'operator')).toEqual([]);
});
