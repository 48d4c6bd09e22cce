import { describe, expect, it } from '@jest/globals';
import request from 'supertest';
import { problems } from '@ticket-saga/contract/errors';
import { z } from 'zod';
import { createApi } from '../api.ts';
import { createHealth } from '../health.ts';
import { createApp, finishApp } from '../http.ts';
import { createLogger } from '../logger.ts';
import { createMetrics } from '../metrics.ts';

function appWithRoutes(example: unknown = { size: 1 }) {
  const logger = createLogger('test', 'silent');
  const app = createApp({
    service: 'test',
    version: '1',
    logger,
    health: createHealth(),
    metrics: createMetrics('test'),
  });
  const api = createApi(app, { title: 'Test', version: '1', description: '' }, async () => ({ kind: 'anonymous' }));
  const answers = { 200: { description: 'Done' } };
  const handle = async () => ({ status: 200 });
  api.route({ method: 'get', path: '/things', summary: 'Things', access: 'public', answers, handle });
  api.route({
    method: 'post',
    path: '/things',
    summary: 'Adds a thing',
    access: 'operator',
    body: z.object({ size: z.number().transform(String) }),
    bodyExamples: { small: example },
    answers,
    handle,
  });
  api.close();
  return finishApp(app, logger);
}

describe('The description of the interface', () => {
  it('has a body to start from, which the schema takes', async () => {
    const { body } = await request(appWithRoutes()).get('/openapi.json');
    expect(body.paths['/things'].post.requestBody.content['application/json'].examples).toEqual({
      small: { value: { size: 1 } },
    });
  });

  it('is refused with an example that the schema would refuse', () => {
    expect(() => appWithRoutes({ size: 'small' })).toThrow('POST /things refuses its example "small"');
  });

  it('names every code that an error may carry', async () => {
    const { body } = await request(appWithRoutes()).get('/openapi.json');
    expect(body.components.schemas.Problem.properties.code.enum).toEqual(Object.keys(problems));
  });

  it('says how to log in where that is wanted, so that the Swagger UI can', async () => {
    const { body } = await request(appWithRoutes()).get('/openapi.json');
    expect(body.components.securitySchemes.operator).toMatchObject({ type: 'http', scheme: 'basic' });
    expect(body.paths['/things'].post.security).toEqual([{ operator: [] }, { token: [] }]);
    expect(body.paths['/things'].get.security).toEqual([]);
  });
});
