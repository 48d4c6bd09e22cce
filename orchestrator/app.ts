/** The orchestrator's HTTP side, without listening. */
import { createApi } from '@ticket-saga/runtime/api';
import { type AppParts, createApp, finishApp } from '@ticket-saga/runtime/http';
import type { Authenticate } from '@ticket-saga/runtime/identity';
import type { Express } from 'express';
import type { OrchestratorParts } from './parts.ts';
import { addRoutes } from './routes.ts';
import { addActionRoutes } from './routes-actions.ts';
import { addDeadLetterRoutes } from './routes-dead-letters.ts';
import { addReconciliationRoutes, type ReconciliationRouteParts } from './routes-reconciliation.ts';
import { addRefundRoutes } from './routes-refunds.ts';

export function createOrchestratorApp(
  appParts: AppParts,
  authenticate: Authenticate,
  parts: OrchestratorParts & ReconciliationRouteParts,
): Express {
  const app = createApp(appParts);
  const about = {
    title: 'Orchestrator',
    version: appParts.version,
    description: 'Starts and steers the order processes.',
  };
  const api = createApi(app, about, authenticate);
  addRoutes(api, parts.settings);
  addActionRoutes(api, parts);
  addDeadLetterRoutes(api, parts);
  addReconciliationRoutes(api, parts);
  addRefundRoutes(api, parts);
  api.close();
  return finishApp(app, appParts.logger);
}
