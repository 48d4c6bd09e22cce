/** The Express application that every service starts from: limits, security headers, access log, diagnostics. */
import { once } from 'node:events';
import { createServer, type IncomingMessage, type Server, type ServerOptions, STATUS_CODES } from 'node:http';
import type { AddressInfo } from 'node:net';
import type { Duplex } from 'node:stream';
import express, { type Express } from 'express';
import helmet from 'helmet';
import type { Health } from './health.ts';
import type { Logger } from './logger.ts';
import type { Metrics } from './metrics.ts';
import { errorHandler, notFound } from './problem.ts';
import type { Limits } from './rate-limit.ts';

/** The name under which the app knows its limit; `api.ts` keeps it, once it knows who calls. */
export const callsPerMinute = 'calls per minute';

export type AppParts = {
  service: string;
  version: string;
  logger: Logger;
  health: Health;
  metrics: Metrics;
  limits?: Limits | undefined;
};

/** The app before the service's own routes. `finishApp` must be called after them. */
export function createApp(parts: AppParts): Express {
  const app = express();
  app.disable('x-powered-by');
  app.set('query parser', 'simple');
  app.set('trust proxy', parts.limits?.proxies ?? 0);
  app.set(callsPerMinute, parts.limits?.perMinute ?? 0);
  app.use(helmet({ contentSecurityPolicy: { directives: { upgradeInsecureRequests: null } } }));
  app.use(observe(parts));
  addDiagnostics(app, parts);
  // Not strict: a body that is JSON but no object is refused by the schema, which says what it should be.
  app.use(
    express.json({ limit: '100kb', strict: false, verify: (request, _response, body) => rawBodies.set(request, body) }),
  );
  return app;
}

/** The bytes of each JSON body as they came: what a caller signed is not what is parsed. */
const rawBodies = new WeakMap<IncomingMessage, Buffer>();

/** The bytes of the request's JSON body; empty where there was none. */
export function rawBody(request: IncomingMessage): Buffer {
  return rawBodies.get(request) ?? Buffer.alloc(0);
}

export function finishApp(app: Express, logger: Logger): Express {
  app.use(notFound);
  app.use(errorHandler(logger));
  return app;
}

function observe({ logger, metrics }: AppParts): express.RequestHandler {
  return (request, response, next) => {
    const started = process.hrtime.bigint();
    response.once('close', () => {
      const seconds = Number(process.hrtime.bigint() - started) / 1e9;
      const route = typeof request.route?.path === 'string' ? request.route.path : 'unmatched';
      metrics.httpSeconds.observe({ method: request.method, route, status: String(response.statusCode) }, seconds);
      logger.debug('request', {
        method: request.method,
        path: request.path,
        status: response.statusCode,
        ms: Math.round(seconds * 1000),
      });
    });
    next();
  };
}

function addDiagnostics(app: Express, { service, version, health, metrics }: AppParts): void {
  app.get('/diagnostic/heartbeat', (_request, response) => {
    response.json({ service_id: service, status: 'up', version });
  });
  app.get('/health/live', (_request, response) => {
    const stuck = health.stuck();
    const up = Object.keys(stuck).length === 0;
    response.status(up ? 200 : 503).json(up ? { status: 'up' } : { status: 'stuck', parts: stuck });
  });
  app.get('/health/ready', (_request, response) => {
    const { ready, parts } = health.report();
    response.status(ready ? 200 : 503).json({ status: ready ? 'ready' : 'not ready', parts });
  });
  app.get('/metrics', async (_request, response) => {
    response.type(metrics.registry.contentType).send(await metrics.registry.metrics());
  });
}

/**
 * Whoever sends headers or a body drop by drop holds a connection no longer than this, ms. An answer may take as long as
 * it likes (`GET /orders/{id}/events`).
 */
const slowestRequest = { headersTimeout: 10_000, requestTimeout: 30_000, connectionsCheckingInterval: 5_000 };

/**
 * Listens and resolves with the port (of use with port 0). Rejects with a sentence when the port is taken.
 * @param variable the setting that holds the port
 */
export async function listen(
  app: Express,
  port: number,
  address: string,
  variable = 'another port',
  timeLimits: ServerOptions = slowestRequest,
): Promise<{ server: Server; port: number }> {
  const server = createServer(timeLimits, app);
  server.on('clientError', refuseUnreadable);
  server.listen(port, address);
  try {
    await once(server, 'listening');
  } catch (error) {
    const taken = typeof error === 'object' && error !== null && 'code' in error && error.code === 'EADDRINUSE';
    throw taken
      ? new Error(`Port ${port} is taken by another program: stop it, or set ${variable}.`, { cause: error })
      : error;
  }
  return { server, port: (server.address() as AddressInfo).port };
}

/** Closes the server once its requests are answered; idle keep-alive connections are not waited for. */
export async function closeServer(server: Server): Promise<void> {
  const closed = new Promise<void>((resolve) => server.close(() => resolve()));
  const sweep = setInterval(() => server.closeIdleConnections(), 25);
  const force = setTimeout(() => server.closeAllConnections(), 5_000);
  await closed;
  clearInterval(sweep);
  clearTimeout(force);
}

const unreadable: Record<string, [status: number, detail: string]> = {
  HPE_HEADER_OVERFLOW: [431, 'The headers are larger than 16 kB.'],
  ERR_HTTP_REQUEST_TIMEOUT: [408, 'The request took too long to arrive.'],
};

/** What Node's parser refuses never reaches the application, but is a problem document all the same. */
function refuseUnreadable(error: Error, socket: Duplex): void {
  if (!socket.writable || ('code' in error && error.code === 'ECONNRESET')) {
    socket.destroy();
    return;
  }
  const code = 'code' in error ? String(error.code) : '';
  const [status, detail] = unreadable[code] ?? [400, 'This is not an HTTP request that can be read.'];
  const title = STATUS_CODES[status] ?? '';
  const body = JSON.stringify({ type: 'about:blank', title, status, code: 'MALFORMED_REQUEST', detail });
  socket.end(
    `HTTP/1.1 ${status} ${title}\r\nContent-Type: application/problem+json\r\nX-Content-Type-Options: nosniff\r\nContent-Length: ${Buffer.byteLength(body)}\r\nConnection: close\r\n\r\n${body}`,
  );
}
