/** payment-service's Express application, without listening. */
import { createApi } from '@ticket-saga/runtime/api';
import { type AppParts, createApp, finishApp } from '@ticket-saga/runtime/http';
import type { Authenticate } from '@ticket-saga/runtime/identity';
import type { Express } from 'express';
import type { ChangeParts } from './change.ts';
import { addRoutes } from './routes.ts';

export function createPaymentApp(
  appParts: AppParts,
  parts: ChangeParts & { webhookSecret: string; authenticate: Authenticate },
): Express {
  const app = createApp(appParts);
  const description = 'Payments of orders: hears the payment provider, shows operators where a payment is.';
  const info = { title: 'payment-service', version: appParts.version, description };
  const api = createApi(app, info, parts.authenticate);
  addRoutes(api, parts);
  api.close();
  return finishApp(app, appParts.logger);
}
