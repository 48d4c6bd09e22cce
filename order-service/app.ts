/** order-service's HTTP side, without listening. */
import { createApi } from '@ticket-saga/runtime/api';
import type { Db } from '@ticket-saga/runtime/database';
import { type AppParts, createApp, finishApp } from '@ticket-saga/runtime/http';
import type { Authenticate } from '@ticket-saga/runtime/identity';
import type { Logger } from '@ticket-saga/runtime/logger';
import type { Express } from 'express';
import type { AuthMode } from './access.ts';
import type { AskInventory } from './catalog.ts';
import type { Diagram } from './diagram.ts';
import type { OrderEvents } from './order-events.ts';
import { addCustomerRoutes } from './routes-customers.ts';
import { addOrderRoutes } from './routes-orders.ts';

export type OrderParts = {
  db: Db;
  diagram: Diagram;
  askInventory: AskInventory;
  orderEvents: OrderEvents;
  logger: Logger;
  idempotencyKeepMs: number;
  settings: { AUTH_MODE: AuthMode; PAYMENT_DEADLINE: string };
};

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
  api.close();
  return finishApp(app, appParts.logger);
}
