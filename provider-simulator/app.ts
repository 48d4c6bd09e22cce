/** The provider's Express application, without listening. */
import { createHash, timingSafeEqual } from 'node:crypto';
import { createApi } from '@ticket-saga/runtime/api';
import { type AppParts, createApp, finishApp } from '@ticket-saga/runtime/http';
import type { Authenticate } from '@ticket-saga/runtime/identity';
import { Problem } from '@ticket-saga/runtime/problem';
import type { Express } from 'express';
import { addRoutes, type Parts } from './routes.ts';

export function createProviderApp(appParts: AppParts, parts: Parts & { apiKey: string }): Express {
  const app = createApp(appParts);
  const info = {
    title: 'Payment provider (simulator)',
    version: appParts.version,
    description: 'Stands where a real payment provider would. Amounts are minor units. Steered by test tokens.',
  };
  const api = createApi(app, info, byApiKey(parts.apiKey));
  addRoutes(api, parts);
  api.close();
  return finishApp(app, appParts.logger);
}

/** Whoever has the key may do everything; digests, so that the time tells nothing of the key. */
function byApiKey(apiKey: string): Authenticate {
  const digest = (text: string) => createHash('sha256').update(text).digest();
  return async (authorization) => {
    const given = /^Bearer\s+(\S+)$/i.exec(authorization ?? '')?.[1];
    if (given !== undefined && timingSafeEqual(digest(given), digest(apiKey)))
      return { kind: 'operator', name: 'shop' };
    throw new Problem('UNAUTHENTICATED', 'Send the API key as a bearer token.', undefined, {
      'WWW-Authenticate': 'Bearer',
    });
  };
}
