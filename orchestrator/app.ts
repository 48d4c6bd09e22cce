/** The orchestrator's HTTP side, without listening. */
import { createApi } from '@ticket-saga/runtime/api';
import { type AppParts, createApp, finishApp } from '@ticket-saga/runtime/http';
import type { Authenticate } from '@ticket-saga/runtime/identity';
import type { Express } from 'express';
import { addRoutes } from './routes.ts';
import { addReconciliationRoutes, type ReconciliationRouteParts } from './routes-reconciliation.ts';

export function createOrchestratorApp(
  parts: AppParts,
  authenticate: Authenticate,
  settings: { OPERATE_URL: string },
  operations: ReconciliationRouteParts,
): Express {
  const app = createApp(parts);
  const about = {
    title: 'Orchestrator',
    version: parts.version,
    description: 'Starts and steers the order processes.',
  };
  const api = createApi(app, about, authenticate);
  addRoutes(api, settings);
  addReconciliationRoutes(api, operations);
  api.close();
  return finishApp(app, parts.logger);
}
