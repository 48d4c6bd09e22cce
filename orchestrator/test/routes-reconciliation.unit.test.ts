import { afterEach, describe, expect, test } from '@jest/globals';
import { createApi } from '@ticket-saga/runtime/api';
import type { Db } from '@ticket-saga/runtime/database';
import { createHealth } from '@ticket-saga/runtime/health';
import { createApp, finishApp } from '@ticket-saga/runtime/http';
import { createAuthenticate } from '@ticket-saga/runtime/identity';
import { createLogger } from '@ticket-saga/runtime/logger';
import { createMetrics } from '@ticket-saga/runtime/metrics';
import request from 'supertest';
import { kindNames } from '../reconcile-kinds.ts';
import type { NewRun, Run } from '../reconcile-runs.ts';
import { addReconciliationRoutes } from '../routes-reconciliation.ts';

const begun: NewRun[] = [];
afterEach(() => void begun.splice(0));

const app = (() => {
  const logger = createLogger('test', 'silent');
  const metrics = createMetrics('orchestrator');
  const about = { service: 'orchestrator', version: 'test', logger, health: createHealth(), metrics };
  const made = createApp(about);
  const login = { BIND_ADDRESS: '127.0.0.1', OPERATOR_USER: 'techlead', OPERATOR_PASSWORD: 'secret' };
  const authenticate = createAuthenticate({ AUTH_MODE: 'local', JWT_ALGORITHM: 'RS256', ...login });
  const api = createApi(made, { title: 'x', version: 'x', description: 'x' }, authenticate);
  const run: Omit<Run, keyof NewRun> = {
    id: 7n,
    state: 'RUNNING',
    phase: 'starting',
    counts: {},
    notes: [],
    startedAt: new Date(),
    endedAt: null,
  };
  const reconciler = {
    start: async (wanted: NewRun): Promise<Run> => {
      begun.push(wanted);
      return { ...run, namedKinds: [], ...wanted };
    },
    stop: async () => undefined,
  };
  addReconciliationRoutes(api, { db: {} as Db, reconciler });
  api.close();
  return finishApp(made, logger);
})();
const ask = (body: object) =>
  request(app)
    .post('/operations/reconciliation')
    .auth('techlead', 'secret')
    .send({ reason: 'a test', ...body });

describe('A run of the reconciliation is asked for', () => {
  test('to look only, unless it says otherwise', async () => {
    const { status, body, headers } = await ask({});
    expect([status, headers['location']]).toEqual([202, '/operations/reconciliation/7']);
    expect(body).toMatchObject({ repair: false, namedKinds: [] });
    expect(begun).toEqual([{ operator: 'techlead', reason: 'a test', repair: false, namedKinds: [] }]);
  });

  test('with the kinds that it repairs, each once', async () => {
    const { body } = await ask({ repair: true, kinds: ['books-differ', 'confirmed-not-paid', 'books-differ'] });
    expect(body).toMatchObject({ repair: true, namedKinds: ['books-differ', 'confirmed-not-paid'] });
  });

  test.each([
    [{ kinds: ['confirmed-not-payed'] }, 'kinds[0]: must be one of'],
    [{ kinds: [] }, 'kinds'],
    [{ kinds: 'books-differ' }, 'kinds'],
    [{ kind: ['books-differ'] }, 'kind'],
    [{ repair: 'yes' }, 'repair'],
  ])('not with %j: the answer names the field, and nothing begins', async (more, field) => {
    const { status, body } = await ask({ repair: true, ...more });
    expect([status, JSON.stringify(body)]).toEqual([422, expect.stringContaining(field)]);
    expect(begun).toEqual([]);
  });

  test('and of an unknown kind hears which there are', async () => {
    const { body } = await ask({ kinds: ['nothing'] });
    for (const kind of kindNames) expect(body.detail).toContain(kind);
  });
});
