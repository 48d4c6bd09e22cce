/** order-service's HTTP side, without listening. */
import { createApi } from '@ticket-saga/runtime/api';
import { type AppParts, createApp, finishApp } from '@ticket-saga/runtime/http';
import type { Authenticate } from '@ticket-saga/runtime/identity';
import type { Express } from 'express';
import type { OrderParts } from './parts.ts';
import { addReconciliationRoutes } from './reconciliation.ts';
import { addCustomerRoutes } from './routes-customers.ts';
import { addOrderRoutes } from './routes-orders.ts';
import { addStuckRoutes } from './routes-stuck.ts';

export function createOrderApp(appParts: AppParts, authenticate: Authenticate, parts: OrderParts): Express {
  const app = createApp(appParts);
  const about = {
    title: 'Orders',
    version: appParts.version,
    description: 'Places, shows and cancels orders; tells live how they go; knows the customers.',
  };
  const api = createApi(app, about, authenticate);
  addOrderRoutes(api, parts);
  addCustomerRoutes(api, parts);
  addReconciliationRoutes(api, parts);
  addStuckRoutes(api, parts);
  api.close();
  return finishApp(app, appParts.logger);
}
