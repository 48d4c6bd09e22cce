/** Errors as RFC 9457 problem documents, with a stable `code` and, for input, the list of what is wrong where. */
import { STATUS_CODES } from 'node:http';
import { type ProblemCode, problems } from '@ticket-saga/contract/errors';
import type { ErrorRequestHandler, RequestHandler, Response } from 'express';
import { z } from 'zod';
import { isOwnFault, PassingFault } from './errors.ts';
import { errorFields, type Logger } from './logger.ts';

const fieldError = z.object({ path: z.string(), message: z.string() });
export type FieldError = z.infer<typeof fieldError>;

/** All codes that there are: whoever reads the description of one service knows those of the others. */
const code = z.enum(Object.keys(problems).filter((name): name is ProblemCode => name in problems));

export const problemDocument = z
  .object({
    type: z.string(),
    title: z.string(),
    status: z.int(),
    code,
    detail: z.string().optional(),
    errors: z.array(fieldError).optional(),
  })
  .meta({
    id: 'Problem',
    description: 'RFC 9457 problem document; `code` is stable, `errors` names field and reason.',
  });

/** Thrown anywhere below a route; the error middleware turns it into the answer. */
export class Problem extends Error {
  readonly code: ProblemCode;
  readonly errors: FieldError[] | undefined;
  readonly headers: Record<string, string>;
  constructor(code: ProblemCode, detail: string, errors?: FieldError[], headers: Record<string, string> = {}) {
    super(detail);
    this.code = code;
    this.errors = errors;
    this.headers = headers;
  }
}

/** Every issue of a failed parse with the path as people write it: `items[0].quantity`. */
export function fieldErrors(error: z.ZodError, within = ''): FieldError[] {
  return error.issues.map((issue) => ({ path: pathText(issue.path, within), message: issue.message }));
}

function pathText(path: PropertyKey[], within: string): string {
  const text = path.reduce<string>(
    (so, key) => (typeof key === 'number' ? `${so}[${key}]` : so ? `${so}.${String(key)}` : String(key)),
    within,
  );
  return text || 'body';
}

function sendProblem(response: Response, problem: Problem): void {
  const { status, title } = problems[problem.code];
  const document: z.infer<typeof problemDocument> = {
    type: 'about:blank',
    title,
    status,
    code: problem.code,
    detail: problem.message,
    ...(problem.errors ? { errors: problem.errors } : {}),
  };
  response.status(status).set(problem.headers).type('application/problem+json').send(JSON.stringify(document));
}

export const notFound: RequestHandler = (request, _response, next) => {
  next(new Problem('NOT_FOUND', `There is nothing at ${request.method} ${request.path}.`));
};

export function errorHandler(logger: Logger): ErrorRequestHandler {
  return (error: unknown, request, response, next) => {
    if (response.headersSent) return next(error);
    const problem = asProblem(error);
    const { status } = problems[problem.code];
    if (status >= 500) {
      const stack = problem.code === 'INTERNAL' && error instanceof Error ? { stack: error.stack } : {};
      logger.log(status === 503 ? 'warn' : 'error', 'request failed', {
        method: request.method,
        path: request.path,
        ...errorFields(error),
        ...stack,
      });
    }
    sendProblem(response, problem);
  };
}

/** The body parser's and the router's own errors, by their `type` or status. */
const bodyParserError = z.object({
  type: z.string().optional(),
  status: z.int().min(400).max(499),
  message: z.string(),
});

function asProblem(error: unknown): Problem {
  if (error instanceof Problem) return error;
  if (isOwnFault(error)) {
    return new Problem(
      'DEPENDENCY_UNAVAILABLE',
      'The service cannot reach its database or broker now. Try again in a moment.',
      undefined,
      { 'Retry-After': '2' },
    );
  }
  if (error instanceof PassingFault) {
    return new Problem('DEPENDENCY_UNAVAILABLE', error.message, undefined, { 'Retry-After': '2' });
  }
  const parsed = bodyParserError.safeParse(error);
  if (!parsed.success) return new Problem('INTERNAL', 'The failure is in the log of the service.');
  const { type, status, message } = parsed.data;
  if (type === 'entity.too.large') return new Problem('BODY_TOO_LARGE', 'The body must not be larger than 100 kB.');
  if (type === 'entity.parse.failed') return new Problem('MALFORMED_JSON', message, [{ path: 'body', message }]);
  if (status === 415) return new Problem('UNSUPPORTED_MEDIA_TYPE', message);
  return new Problem('MALFORMED_REQUEST', `${STATUS_CODES[status] ?? 'Bad request'}: ${message}`, [
    { path: 'request', message },
  ]);
}
