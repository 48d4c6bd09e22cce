import express from 'express';
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { createLogger } from '@ticket-saga/runtime/logger';
import request from 'supertest';
import { readDiagram } from '../diagram.ts';
import { mergeIncidents } from '../incidents.ts';
import { createOperate, type Operate } from '../operate.ts';
import { listening, ownService, type OwnService, tellStep } from './support.ts';

let service: OwnService;
let server: { url: string; close(): Promise<void> };
let operate: Operate;
/** What the Operate of this test shows: element and process instance of each incident, by its key. */
const open = new Map<string, { elementId: string; processInstanceKey: string }>();

/** Answers as Operate 8.6 does: keys are numbers, larger than a double holds; no search without the cookie. */
function fakeOperate() {
  const app = express();
  app.use(express.urlencoded(), express.json());
  app.post('/api/login', (request_, response) => {
    const right = request_.body.username === 'techlead' && request_.body.password === 'zup@123';
    response
      .status(right ? 204 : 401)
      .set('Set-Cookie', 'OPERATE-SESSION=abc; Path=/; HttpOnly')
      .end();
  });
  app.use((request_, response, next) => {
    if (request_.headers.cookie === 'OPERATE-SESSION=abc') next();
    else response.status(401).end();
  });
  const answer = (items: string[]) => `{"items":[${items.join()}],"total":${items.length}}`;
  app.post('/v1/incidents/search', (_request, response) => {
    const items = [...open].map(
      ([key, { processInstanceKey }]) =>
        `{"key":${key},"processInstanceKey":${processInstanceKey},"type":"EXTRACT_VALUE_ERROR","message":"payBy is no date","creationTime":"2026-11-21T10:00:00.123+0000","state":"ACTIVE"}`,
    );
    response.type('json').send(answer(items));
  });
  app.post('/v1/flownode-instances/search', (_request, response) => {
    const items = [...open].map(
      ([key, { elementId }]) =>
        `{"key":9007199254740997,"flowNodeId":"${elementId}","incident":true,"incidentKey":${key}}`,
    );
    response.type('json').send(answer([...items, '{"key":2,"flowNodeId":"Abort","incident":true}']));
  });
  return app;
}

beforeAll(async () => {
  service = await ownService();
  server = await listening(fakeOperate());
  operate = createOperate({ OPERATE_URL: server.url, OPERATE_USER: 'techlead', OPERATE_PASSWORD: 'zup@123' });
});
afterAll(async () => {
  await service.stop();
  await server.close();
});

async function started(processInstanceKey: string): Promise<string> {
  const { body } = await request(service.app).post('/orders').send({ productId: '1', quantity: 1 });
  await tellStep(service.db, body.id, 'OrderPlaced', {
    processInstanceKey,
    idempotencyKey: `started:${processInstanceKey}`,
  });
  return body.id;
}
const read = async (id: string) => (await request(service.app).get(`/orders/${id}`)).body;
const merge = async (known = new Set<string>()) =>
  mergeIncidents(
    { db: service.db, diagram: await readDiagram(), operate, logger: createLogger('test', 'error') },
    known,
  );

describe('an incident that no worker told of', () => {
  it('shows its element as stuck, once, with what Operate says', async () => {
    const id = await started('9007199254740993');
    open.set('9007199254740995', { elementId: 'PaymentApproved', processInstanceKey: '9007199254740993' });
    const known = new Set<string>();
    await merge(known);
    const order = await read(id);
    expect(order.currentStep).toBe('PaymentApproved');
    expect(order.steps.at(-1)).toMatchObject({
      id: 'PaymentApproved',
      name: 'Payment approved?',
      state: 'STUCK',
      error: { code: 'INCIDENT', message: 'payBy is no date' },
    });
    await merge(known);
    await merge();
    expect((await read(id)).version).toBe(order.version);
    open.clear();
  });

  it('is over when the process goes on', async () => {
    const id = await started('77001');
    open.set('77002', { elementId: 'PaymentApproved', processInstanceKey: '77001' });
    await merge();
    await tellStep(service.db, id, 'ConfirmTickets', { state: 'RUNNING', processInstanceKey: '77001' });
    const order = await read(id);
    expect(order.currentStep).toBe('ConfirmTickets');
    expect(order.steps.find(({ id: step }: { id: string }) => step === 'PaymentApproved')).toMatchObject({
      state: 'COMPLETED',
    });
    open.clear();
  });

  it('adds nothing where the worker has told of it', async () => {
    const id = await started('88001');
    const error = { code: 'BUG', message: 'told by the worker' };
    await tellStep(service.db, id, 'ReserveTickets', { state: 'STUCK', processInstanceKey: '88001', error });
    open.set('88002', { elementId: 'ReserveTickets', processInstanceKey: '88001' });
    const before = await read(id);
    await merge();
    expect(await read(id)).toEqual(before);
    open.clear();
  });

  it('of a process that is no order of ours is passed over', async () => {
    open.set('99002', { elementId: 'ReserveTickets', processInstanceKey: '99001' });
    await merge();
    open.clear();
  });
});

it('an Operate that is away is an error of the look, of nothing else', async () => {
  const away = createOperate({ OPERATE_URL: 'http://127.0.0.1:9', OPERATE_USER: 'x', OPERATE_PASSWORD: 'x' });
  await expect(away.openIncidents(new Set())).rejects.toThrow();
});
