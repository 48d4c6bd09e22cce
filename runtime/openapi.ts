/** What `/openapi.json` says of a route: drawn from the same schemas that parse its requests. */
import type { z } from 'zod';
import type { Access, Route } from './api.ts';
import { problemDocument } from './problem.ts';

/** How to say who one is; AUTH_MODE decides which of them the service takes. */
export const securitySchemes = {
  name: {
    type: 'apiKey',
    in: 'header',
    name: 'Authorization',
    description: 'Local mode: the name of the customer, as it is',
  },
  operator: { type: 'http', scheme: 'basic', description: 'Local mode: user and password of an operator' },
  token: { type: 'http', scheme: 'bearer', bearerFormat: 'JWT', description: 'JWT mode' },
} as const;
const securityOf: Record<Access, Partial<Record<keyof typeof securitySchemes, string[]>>[]> = {
  public: [],
  customer: [{}, { name: [] }, { operator: [] }, { token: [] }],
  operator: [{ operator: [] }, { token: [] }],
};

/** Throws an Error where no example is given, or one that the schema refuses: what Swagger UI makes up is seldom taken. */
function bodyContent({ method, path }: { method: string; path: string }, schema: z.ZodType, given?: object) {
  const examples = Object.entries(given ?? {});
  const route = `${method.toUpperCase()} ${path}`;
  if (examples.length === 0) throw new Error(`${route} needs an example of its body.`);
  for (const [summary, value] of examples) {
    const { error } = schema.safeParse(value);
    if (error) throw new Error(`${route} refuses its example "${summary}": ${error.message}`);
  }
  return {
    'application/json': {
      schema,
      examples: Object.fromEntries(examples.map(([summary, value]) => [summary, { value }])),
    },
  };
}

/** The description of one route; problem documents are added by themselves. */
export function operation(
  route: Route<z.ZodType | undefined, z.ZodType | undefined, z.ZodType | undefined>,
): Record<string, unknown> {
  const json = (schema: z.ZodType, contentType = 'application/json') => ({ [contentType]: { schema } });
  const success = Object.entries(route.answers).map(([status, { description, schema, contentType }]) => [
    status,
    { description, ...(schema ? { content: json(schema, contentType) } : {}) },
  ]);
  return {
    summary: route.summary,
    ...(route.description ? { description: route.description } : {}),
    requestParams: {
      ...(route.params ? { path: route.params } : {}),
      ...(route.query ? { query: route.query } : {}),
      ...(route.requestHeaders ? { header: route.requestHeaders } : {}),
    },
    ...(route.body
      ? { requestBody: { required: true, content: bodyContent(route, route.body, route.bodyExamples) } }
      : {}),
    security: securityOf[route.access],
    responses: {
      ...Object.fromEntries(success),
      '4XX': {
        description: 'The request is refused: `code` says why',
        content: json(problemDocument, 'application/problem+json'),
      },
      '503': { description: 'A part is away: try again', content: json(problemDocument, 'application/problem+json') },
    },
  };
}
