/** The Express app of inventory-service, without listening. */
import type { Express } from 'express';
import { createApi } from '@ticket-saga/runtime/api';
import type { Db } from '@ticket-saga/runtime/database';
import { type AppParts, createApp, finishApp } from '@ticket-saga/runtime/http';
import type { Authenticate } from '@ticket-saga/runtime/identity';
import type { Relay } from '@ticket-saga/runtime/relay';
import { addReconciliationRoutes } from './reconciliation.ts';
import { addRepairRoutes } from './routes-repairs.ts';
import { addRoutes } from './routes.ts';

export function createInventoryApp(parts: AppParts, db: Db, authenticate: Authenticate, relay?: Relay): Express {
  const app = createApp(parts);
  const info = { title: 'Inventory', version: parts.version, description: 'Products, their prices and their stock.' };
  const api = createApi(app, info, authenticate);
  addRoutes(api, db);
  addReconciliationRoutes(api, db, relay);
  addRepairRoutes(api, db);
  api.close();
  return finishApp(app, parts.logger);
}
