/** payment-service's Express application, without listening. */
import { createApi } from '@ticket-saga/runtime/api';
import { type AppParts, createApp, finishApp, rawBody } from '@ticket-saga/runtime/http';
import type { Authenticate } from '@ticket-saga/runtime/identity';
import type { Relay } from '@ticket-saga/runtime/relay';
import type { Express } from 'express';
import type { Parts } from './settle.ts';
import { addReconciliationRoutes } from './reconciliation.ts';
import { addRepairRoutes } from './routes-repairs.ts';
import { addRoutes } from './routes.ts';
import { checkSignature, webhookPath } from './webhook.ts';

export function createPaymentApp(
  appParts: AppParts,
  parts: Parts & { webhookSecret: string; authenticate: Authenticate; relay?: Relay },
): Express {
  const app = createApp(appParts);
  // Before the body is looked at: whoever cannot sign learns nothing of what it should hold.
  app.post(webhookPath, (request, _response, next) => {
    checkSignature(parts.webhookSecret, request.get('webhook-signature'), rawBody(request), new Date());
    next();
  });
  const description = 'Payments of orders: hears the payment provider, shows operators where a payment is.';
  const info = { title: 'payment-service', version: appParts.version, description };
  const api = createApi(app, info, parts.authenticate);
  addRoutes(api, parts);
  addReconciliationRoutes(api, parts);
  addRepairRoutes(api, parts);
  api.close();
  return finishApp(app, appParts.logger);
}
