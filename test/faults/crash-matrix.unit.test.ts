import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from '@jest/globals';
import { createHealth } from '@ticket-saga/runtime/health';
import { createLogger } from '@ticket-saga/runtime/logger';
import { createMetrics } from '@ticket-saga/runtime/metrics';
import request from 'supertest';
import { z } from 'zod';
import { processes } from '../../contract/processes.ts';
import { createOrchestratorApp } from '../../orchestrator/app.ts';
import { known, rows } from './crash-rows.ts';
import { providerCalls, routes, starts, tasks, withoutRows } from './crash-ways.ts';

const root = join(import.meta.dirname, '..', '..');
const places = [...new Set(rows.map(({ place }) => place))];
const sourcesOf = (folder: string) =>
  readdirSync(join(root, folder))
    .filter((name) => name.endsWith('.ts'))
    .map((name) => readFileSync(join(root, folder, name), 'utf8'));

/** What operators can do, as the orchestrator's own description lists it. */
async function actionsOfOperators(): Promise<string[]> {
  const health = createHealth();
  const appParts = { service: 'test', version: '0', logger: createLogger('test', 'silent'), health };
  const app = createOrchestratorApp(
    { ...appParts, metrics: createMetrics('test') },
    () => Promise.reject(new Error('Nobody calls here.')),
    { settings: {} } as Parameters<typeof createOrchestratorApp>[2],
  );
  const { paths } = z
    .object({ paths: z.record(z.string(), z.record(z.string(), z.unknown())) })
    .parse((await request(app).get('/openapi.json')).body);
  return Object.entries(paths).flatMap(([path, methods]) =>
    'post' in methods ? [`POST ${path.replaceAll(/\{(\w+)\}/g, ':$1')}`] : [],
  );
}

describe('The crash matrix has a row', () => {
  it('for every task of every diagram, and so for every job of the contract', () => {
    expect(known.tasks.map(({ elementId }) => elementId).toSorted()).toEqual(Object.keys(tasks).toSorted());
    expect(known.types.filter((type) => !known.tasks.some((task) => task.type === type))).toEqual([]);
  });

  it('for every call to the provider', () => {
    const text = readFileSync(join(root, 'payment-service', 'provider.ts'), 'utf8');
    const calls = [...text.matchAll(/betweenCommits\('(\w+)'/g)].map(([, call]) => call);
    expect(calls.toSorted()).toEqual(Object.keys(providerCalls).toSorted());
  });

  it('for the start of every process of the contract', () => {
    expect(Object.keys(starts).toSorted()).toEqual(Object.keys(processes).toSorted());
    expect(Object.values(starts).filter((place) => !places.includes(place))).toEqual([]);
  });

  it('for every action of operators, or a reason why it needs none', async () => {
    const listed = [...Object.keys(routes), ...Object.keys(withoutRows)].filter((route) =>
      /^POST .operations/.test(route),
    );
    expect(listed.toSorted()).toEqual((await actionsOfOperators()).toSorted());
  });

  it('for every crash point that the orchestrator names', () => {
    const named = sourcesOf('orchestrator').flatMap((text) => [...text.matchAll(/crashPoint\(['`]([^'`]+)['`]/g)]);
    const points = named.map(([, point = '']) => new RegExp(`^${point.replaceAll(/\$\{[^}]*\}/g, '.+')}$`));
    expect(points.length).toBeGreaterThan(0);
    expect(points.filter((point) => !rows.some((row) => point.test(row.point)))).toEqual([]);
  });

  it('once: no two orders are sent to die at the same point', () => {
    expect(new Set(rows.map(({ point }) => point)).size).toBe(rows.length);
  });
});

it('docs/crash-matrix.md has a line for each place; else let `UPDATE_DOCS=1 npm run test:faults` write it anew', () => {
  const page = readFileSync(join(root, 'docs', 'crash-matrix.md'), 'utf8');
  expect(places.filter((place) => !page.includes(`\n| ${place} `))).toEqual([]);
});
