/**
 * Routes that carry their zod schemas: the same schemas parse the request and write `/openapi.json`, so the description
 * cannot drift from the code.
 */
import type { Express, Request, Response } from 'express';
import swaggerUi from 'swagger-ui-express';
import { z } from 'zod';
import { createDocument, type ZodOpenApiPathsObject } from 'zod-openapi';
import { crashPoint } from './crash-points.ts';
import { callsPerMinute } from './http.ts';
import type { Authenticate, Identity } from './identity.ts';
import { operation, securitySchemes } from './openapi.ts';
import { fieldErrors, Problem } from './problem.ts';
import { createLimit, type Limit } from './rate-limit.ts';

type Method = 'get' | 'post' | 'patch' | 'put' | 'delete';

/** Who may call: nobody is asked, whoever says who they are (local mode: also nobody), or operators only. */
export type Access = 'public' | 'customer' | 'operator';

type Parsed<S> = S extends z.ZodType ? z.output<S> : undefined;

export type RouteCall<Params, Query, Body> = {
  params: Parsed<Params>;
  query: Parsed<Query>;
  body: Parsed<Body>;
  identity: Identity;
  request: Request;
  response: Response;
};

export type Answer = { status: number; body?: unknown; headers?: Record<string, string> };

export type Route<Params, Query, Body> = {
  method: Method;
  /** Express path: `/orders/:id`. */
  path: string;
  summary: string;
  description?: string;
  access: Access;
  /** False: the callers of this route are not counted (default true). */
  limited?: boolean;
  params?: Params;
  query?: Query;
  body?: Body;
  /** Bodies to start from in the Swagger UI, by what they show; at least one where there is a body. */
  bodyExamples?: Record<string, unknown>;
  requestHeaders?: z.ZodObject;
  /** Success answers by status; problem documents are added by themselves. */
  answers: Record<number, { description: string; schema?: z.ZodType; contentType?: string }>;
  /** Returns the answer, or nothing when it has written to `response` itself (an event stream). */
  handle(call: RouteCall<Params, Query, Body>): Promise<Answer | void>;
};

export type Api = {
  route<
    Params extends z.ZodType | undefined = undefined,
    Query extends z.ZodType | undefined = undefined,
    Body extends z.ZodType | undefined = undefined,
  >(
    route: Route<Params, Query, Body>,
  ): void;
  /** Adds `/openapi.json`, `/docs` and 405 for known paths; call it after the last route. */
  close(): void;
};

export function createApi(
  app: Express,
  info: { title: string; version: string; description: string },
  authenticate: Authenticate,
): Api {
  const paths: Record<string, Record<string, unknown>> = {};
  const methods = new Map<string, Set<string>>();
  const limit = createLimit(Number(app.get(callsPerMinute) ?? 0));

  return {
    route(route) {
      const openApiPath = route.path.replaceAll(/:(\w+)/g, '{$1}');
      paths[openApiPath] = { ...paths[openApiPath], [route.method]: operation(route) };
      methods.set(route.path, (methods.get(route.path) ?? new Set()).add(route.method.toUpperCase()));
      app[route.method](route.path, async (request, response) => {
        const identity = await identify(route, authenticate, limit, request, response);
        const point = `${route.method.toUpperCase()} ${route.path}`;
        await crashPoint(`${point}.before`, tagOf(request));
        const answer = await route.handle({
          params: parsePart(route.params, request.params, 'params'),
          query: parsePart(route.query, request.query, 'query'),
          body: parsePart(route.body, request.body, 'body'),
          identity,
          request,
          response,
        } as Parameters<typeof route.handle>[0]);
        await crashPoint(`${point}.before-answer`, tagOf(request));
        if (!answer) return;
        response.status(answer.status).set(answer.headers ?? {});
        if (answer.body === undefined) response.end();
        else response.json(answer.body);
      });
    },
    close() {
      const document = createDocument({
        openapi: '3.1.0',
        info,
        paths: paths as ZodOpenApiPathsObject,
        components: { securitySchemes },
      });
      app.get('/openapi.json', (_request, response) => void response.json(document));
      app.use('/docs', swaggerUi.serve, swaggerUi.setup(document, { customSiteTitle: info.title }));
      for (const [path, allowed] of methods) {
        app.all(path, (request, _response, next) => {
          const allow = [...allowed].join(', ');
          next(
            new Problem('METHOD_NOT_ALLOWED', `${request.method} is not known here; ${allow} is.`, undefined, {
              Allow: allow,
            }),
          );
        });
      }
    },
  };
}

const ofAnOrder = z.object({ orderId: z.string() });

/** What a crash point knows a request by: the id in its path, its idempotency key, or the order in its body. */
function tagOf({ params, headers, body }: Request): string | undefined {
  const tag = Object.values(params)[0] ?? headers['idempotency-key'] ?? ofAnOrder.safeParse(body).data?.orderId;
  return z.string().safeParse(tag).data;
}

async function identify(
  { access, limited = true }: { access: Access; limited?: boolean },
  authenticate: Authenticate,
  limit: Limit,
  request: Request,
  response: Response,
): Promise<Identity> {
  const count = (caller?: Identity) => (limited ? limit(request, response, caller) : undefined);
  if (access === 'public') {
    await count();
    return { kind: 'anonymous' };
  }
  const identity = await authenticate(request.headers.authorization).catch(async (error: unknown) => {
    await count(); // whoever tries tokens is stopped too
    throw error;
  });
  await count(identity);
  if (access === 'operator' && identity.kind !== 'operator') {
    if (identity.kind === 'anonymous') {
      throw new Problem('UNAUTHENTICATED', 'Log in as an operator.', undefined, {
        'WWW-Authenticate': 'Basic realm="operators"',
      });
    }
    throw new Problem('FORBIDDEN', 'Only operators may do this.');
  }
  return identity;
}

function parsePart(schema: z.ZodType | undefined, value: unknown, part: 'params' | 'query' | 'body'): unknown {
  if (!schema) return undefined;
  if (part === 'body' && value === undefined) {
    throw new Problem('UNSUPPORTED_MEDIA_TYPE', 'Send a JSON body with the header Content-Type: application/json.');
  }
  const parsed = schema.safeParse(value);
  if (parsed.success) return parsed.data;
  const errors = fieldErrors(parsed.error);
  throw new Problem(
    'INVALID_INPUT',
    errors
      .map((error) => `${error.path}: ${error.message}`)
      .join('; ')
      .slice(0, 1_000),
    errors,
  );
}
