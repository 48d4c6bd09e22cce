import { createServer } from 'node:http';
import { once } from 'node:events';
import type { AddressInfo } from 'node:net';
import { afterAll, beforeAll, expect, test } from '@jest/globals';
import { ConfigError } from '@ticket-saga/runtime/config';
import { PassingFault, PermanentError } from '@ticket-saga/runtime/errors';
import { z } from 'zod';
import { createServices } from '../services.ts';

const heard: { method?: string | undefined; url?: string | undefined; authorization?: string | undefined }[] = [];
let next: { status: number; body: string } = { status: 200, body: '{}' };
const server = createServer((request, response) => {
  heard.push({ method: request.method, url: request.url, authorization: request.headers.authorization });
  response.writeHead(next.status, { 'content-type': 'application/json' }).end(next.body);
});
let url = '';
beforeAll(async () => {
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  url = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
});
afterAll(() => {
  server.close();
});

const settings = () => ({
  AUTH_MODE: 'local' as const,
  OPERATOR_USER: 'techlead',
  OPERATOR_PASSWORD: 'secret',
  ORDER_URL: url,
  INVENTORY_URL: url,
  PAYMENT_URL: `${url}/`,
});
const answer = z.object({ items: z.array(z.string()) });

test('it asks as an operator and hands on what fits the schema', async () => {
  next = { status: 200, body: '{"items":["a"]}' };
  await expect(createServices(settings()).get('payment', '/things?limit=1', answer)).resolves.toEqual({ items: ['a'] });
  const authorization = `Basic ${Buffer.from('techlead:secret').toString('base64')}`;
  expect(heard.at(-1)).toEqual({ method: 'GET', url: '/things?limit=1', authorization });
});

test('what is away, overloaded or unreadable may come again', async () => {
  const away = createServices({ ...settings(), ORDER_URL: 'http://127.0.0.1:9' });
  await expect(away.get('order', '/', answer)).rejects.toThrow(PassingFault);
  for (const later of [
    { status: 503, body: '{}' },
    { status: 429, body: '{}' },
    { status: 200, body: '<html>' },
  ]) {
    next = later;
    await expect(createServices(settings()).get('order', '/', answer)).rejects.toThrow(PassingFault);
  }
});

test('a refusal, or an answer of another shape, says what was asked and why it is no use', async () => {
  next = { status: 409, body: '{"code":"STALE_ACTION","detail":"It moved on."}' };
  await expect(createServices(settings()).post('order', '/act', {}, answer)).rejects.toThrow(
    new PermanentError('SERVICE_REFUSED', 'order-service POST /act: it answers 409. STALE_ACTION It moved on.'),
  );
  next = { status: 200, body: '{"items":[1]}' };
  await expect(createServices(settings()).get('order', '/things', answer)).rejects.toThrow(/items\[0\]/);
});

test('JWT mode needs a token of its own', () => {
  expect(() => createServices({ ...settings(), AUTH_MODE: 'jwt' })).toThrow(ConfigError);
  expect(() => createServices({ ...settings(), AUTH_MODE: 'jwt', SERVICE_AUTHORIZATION: 'Bearer x' })).not.toThrow();
});
