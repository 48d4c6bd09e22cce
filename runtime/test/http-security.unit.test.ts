/** What every service's HTTP side keeps to: headers, limits, and what an answer may tell. */
import { connect } from 'node:net';
import { afterEach, describe, expect, it } from '@jest/globals';
import request from 'supertest';
import { z } from 'zod';
import { capturedLogger } from '../../test/support/log.ts';
import { createApi } from '../api.ts';
import { createHealth } from '../health.ts';
import { type AppParts, closeServer, createApp, finishApp, listen } from '../http.ts';
import { createAuthenticate } from '../identity.ts';
import { createMetrics } from '../metrics.ts';
import { type Limits, limitsOf } from '../rate-limit.ts';

const basic = (text: string) => `Basic ${Buffer.from(text).toString('base64')}`;
const techlead = basic('techlead:zup@123');

function service(limits?: Limits) {
  const { logger, text } = capturedLogger();
  const parts: AppParts = {
    service: 'test',
    version: '1',
    logger,
    health: createHealth(),
    metrics: createMetrics('t'),
  };
  const app = createApp({ ...parts, limits });
  const authenticate = createAuthenticate({
    AUTH_MODE: 'local',
    BIND_ADDRESS: '127.0.0.1',
    OPERATOR_USER: 'techlead',
    OPERATOR_PASSWORD: 'zup@123',
    JWT_ALGORITHM: 'RS256',
  });
  const api = createApi(app, { title: 'Test', version: '1', description: '' }, authenticate);
  const answers = { 200: { description: 'fine' } };
  const common = { method: 'get', summary: 's', answers } as const;
  const fine = async () => ({ status: 200, body: {} });
  api.route({ ...common, path: '/things', access: 'customer', handle: fine });
  api.route({
    ...common,
    method: 'post',
    path: '/things',
    access: 'customer',
    body: z.object({}),
    bodyExamples: { nothing: {} },
    handle: fine,
  });
  api.route({ ...common, path: '/secrets', access: 'operator', handle: fine });
  api.route({ ...common, path: '/called-back', access: 'public', limited: false, handle: fine });
  api.route({
    ...common,
    path: '/broken',
    access: 'public',
    handle: async () => {
      throw new Error(`insert into payment (token) values ('tok_1'): syntax error at /srv/app/payments.js:12:3`);
    },
  });
  api.close();
  return { app: finishApp(app, logger), log: text };
}

const large = { note: 'x'.repeat(103_000) };

describe('Every kind of answer', () => {
  const { app } = service();
  it.each([
    [200, 'get', '/things', undefined],
    [200, 'get', '/health/live', undefined],
    [200, 'get', '/metrics', undefined],
    [200, 'get', '/openapi.json', undefined],
    [200, 'get', '/docs/', undefined],
    [400, 'post', '/things', '{"a":'],
    [401, 'get', '/secrets', undefined],
    [404, 'get', '/nothing', undefined],
    [405, 'delete', '/things', undefined],
    [413, 'post', '/things', large],
    [415, 'post', '/things', undefined],
    [422, 'post', '/things', []],
    [500, 'get', '/broken', undefined],
  ] as const)('%i of %s %s carries the security headers', async (status, method, path, body) => {
    const sent = body === undefined ? {} : { 'Content-Type': 'application/json' };
    const answer = await request(app)[method](path).set(sent).send(body);
    expect(answer.status).toBe(status);
    expect(answer.headers).toMatchObject({
      'content-security-policy': expect.stringContaining("default-src 'self'"),
      'x-content-type-options': 'nosniff',
      'x-frame-options': 'SAMEORIGIN',
      'referrer-policy': 'no-referrer',
      'strict-transport-security': expect.any(String),
    });
    expect(answer.headers).not.toHaveProperty('x-powered-by');
  });

  it('to a body above 100 kB is a problem that says so', async () => {
    const answer = await request(app).post('/things').send(large);
    expect(answer.body).toMatchObject({ status: 413, code: 'BODY_TOO_LARGE' });
  });

  it('to a failure tells neither statement nor file nor stack', async () => {
    const { body, text } = await request(app).get('/broken');
    expect(body).toEqual({
      type: 'about:blank',
      title: expect.any(String),
      status: 500,
      code: 'INTERNAL',
      detail: 'The failure is in the log of the service.',
    });
    expect(text).not.toMatch(/insert into|payments\.js|tok_1/);
  });
});

describe('The log', () => {
  it('in its most talkative setting holds no secret that came with a request', async () => {
    const { app, log } = service();
    for (const authorization of [techlead, basic('techlead:my-own-password'), 'Bearer abc.def.ghi', 'Basic !!!']) {
      await request(app).get('/secrets?token=in-the-query').set('Authorization', authorization);
      await request(app).post('/things').set('Authorization', authorization).send({ token: 'tok_body' });
    }
    await request(app).get('/broken').set('Authorization', techlead).set('Webhook-Signature', 't=1,v1=5161');
    expect(log()).toContain('"path":"/secrets"');
    expect(log()).not.toMatch(
      new RegExp([techlead.slice(6), 'my-own-password', 'abc.def', 'in-the-query', 'tok_body', 'v1=5161'].join('|')),
    );
  });

  it('hides the values of fields that are secrets by their name, however deep', () => {
    const { logger, text } = capturedLogger();
    logger.info('x', { headers: [{ Authorization: 'Bearer 1' }], settings: { DB_PASSWORD: 'p1', at: new Date(0) } });
    expect(text()).not.toMatch(/Bearer 1|p1/);
    expect(text()).toContain('1970-01-01T00:00:00.000Z');
  });
});

describe('The rate limit', () => {
  const times = async <T>(count: number, call: () => PromiseLike<T>) => {
    const answers: T[] = [];
    for (let n = 0; n < count; n += 1) answers.push(await call());
    return answers;
  };

  it('answers 429 with Retry-After to the caller who calls too often, and to nobody else', async () => {
    const { app } = service({ perMinute: 3, proxies: 0 });
    const as = (name: string) => request(app).get('/things').set('Authorization', name);
    const ann = await times(4, () => as('ann'));
    expect(ann.map(({ status }) => status)).toEqual([200, 200, 200, 429]);
    expect(ann[3]?.body).toMatchObject({ code: 'TOO_MANY_REQUESTS', status: 429 });
    expect(Number(ann[3]?.headers['retry-after'])).toBeGreaterThan(0);
    expect((await as('bob')).status).toBe(200);
  });

  it('stops whoever tries passwords, by the address', async () => {
    const { app } = service({ perMinute: 3, proxies: 0 });
    const tried = await times(5, () => request(app).get('/secrets').set('Authorization', basic('techlead:guess')));
    expect(tried.map(({ status }) => status)).toEqual([401, 401, 401, 429, 429]);
  });

  it('holds nobody up at health, metrics and the webhook, and no operator', async () => {
    const { app } = service({ perMinute: 1, proxies: 0 });
    for (const path of ['/health/live', '/metrics', '/called-back']) {
      const answers = await times(4, () => request(app).get(path));
      expect(answers.map(({ status }) => status)).toEqual([200, 200, 200, 200]);
    }
    const operator = await times(4, () => request(app).get('/secrets').set('Authorization', techlead));
    expect(operator.map(({ status }) => status)).toEqual([200, 200, 200, 200]);
  });

  it('counts by the address that a proxy tells only where one is said to stand in front', async () => {
    const from = (app: ReturnType<typeof service>['app'], address: string) =>
      request(app).get('/broken').set('X-Forwarded-For', address);
    const behind = service({ perMinute: 1, proxies: 1 }).app;
    expect([(await from(behind, '10.0.0.1')).status, (await from(behind, '10.0.0.2')).status]).toEqual([500, 500]);
    const open = service({ perMinute: 1, proxies: 0 }).app;
    expect([(await from(open, '10.0.0.1')).status, (await from(open, '10.0.0.2')).status]).toEqual([500, 429]);
  });

  it('is off in local mode, where a rush comes from one machine, and on in JWT mode, unless a setting says otherwise', () => {
    expect(limitsOf({ AUTH_MODE: 'local' }).perMinute).toBe(0);
    expect(limitsOf({ AUTH_MODE: 'jwt' }).perMinute).toBe(600);
    expect(limitsOf({ AUTH_MODE: 'jwt', RATE_LIMIT: 0 }).perMinute).toBe(0);
    expect(limitsOf({ AUTH_MODE: 'local', RATE_LIMIT: 7, TRUST_PROXY: 2 })).toEqual({ perMinute: 7, proxies: 2 });
  });

  it('of 0 counts nobody', async () => {
    const { app } = service({ perMinute: 0, proxies: 0 });
    const answers = await times(5, () => request(app).get('/things'));
    expect(new Set(answers.map(({ status }) => status))).toEqual(new Set([200]));
  });
});

describe('A slow sender', () => {
  const open: (() => Promise<void>)[] = [];
  afterEach(async () => {
    for (const close of open.splice(0)) await close();
  });

  it.each([
    ['headers', 'GET /things HTTP/1.1\r\nHost: x\r\nX-A: '],
    ['a body', 'POST /things HTTP/1.1\r\nHost: x\r\nContent-Type: application/json\r\nContent-Length: 90\r\n\r\n{"'],
  ])('of %s is cut off', async (_what, begun) => {
    const limits = { headersTimeout: 200, requestTimeout: 300, connectionsCheckingInterval: 50 };
    const { server, port } = await listen(service().app, 0, '127.0.0.1', 'PORT', limits);
    open.push(() => closeServer(server));
    const answer = await new Promise<string>((resolve, reject) => {
      let text = '';
      const socket = connect(port, '127.0.0.1', () => socket.write(begun));
      socket.on('data', (bytes: Buffer) => (text += bytes.toString()));
      socket.on('close', () => resolve(text));
      socket.on('error', reject);
    });
    expect(answer).toMatch(/^HTTP\/1\.1 408 /);
    expect(answer).toMatch(/The request took too long to arrive/);
  });

  it('has at the most half a minute in a service', async () => {
    const { server } = await listen(service().app, 0, '127.0.0.1');
    open.push(() => closeServer(server));
    expect(server).toMatchObject({ headersTimeout: 10_000, requestTimeout: 30_000 });
  });
});
