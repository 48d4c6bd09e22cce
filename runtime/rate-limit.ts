/**
 * How many calls a caller may make in a minute, counted in the memory of each process: known callers by who they are,
 * the others, and whoever fails to log in, by their address. Operators are not limited: reconciliation reads page after
 * page.
 */
import type { Request, Response } from 'express';
import { ipKeyGenerator, rateLimit } from 'express-rate-limit';
import type { Identity } from './identity.ts';
import { Problem } from './problem.ts';

/** `perMinute`: calls of one caller, 0 for no limit. `proxies`: how many stand in front, see `TRUST_PROXY`. */
export type Limits = { perMinute: number; proxies: number };

/** Throws `Problem` TOO_MANY_REQUESTS with `Retry-After`. `caller` is undefined where it is not known who calls. */
export type Limit = (request: Request, response: Response, caller: Identity | undefined) => Promise<void>;

const windowMs = 60_000;

/**
 * The limit of a service: where everybody is who they say they are, and all call from this machine, one would only be in
 * the way.
 */
export function limitsOf(settings: {
  AUTH_MODE?: 'local' | 'jwt';
  RATE_LIMIT?: number | undefined;
  TRUST_PROXY?: number;
}): Limits {
  const { AUTH_MODE, RATE_LIMIT, TRUST_PROXY = 0 } = settings;
  return { perMinute: RATE_LIMIT ?? (AUTH_MODE === 'jwt' ? 600 : 0), proxies: TRUST_PROXY };
}

/** @param perMinute calls of one caller; 0 for no limit */
export function createLimit(perMinute: number): Limit {
  if (perMinute === 0) return async () => undefined;
  const callers = new WeakMap<Request, Identity>();
  const count = rateLimit({
    windowMs,
    limit: perMinute,
    standardHeaders: 'draft-8',
    legacyHeaders: false,
    validate: false, // its advice goes to the console; what it checks is settled by TRUST_PROXY
    keyGenerator(request) {
      const caller = callers.get(request);
      return caller?.kind === 'customer'
        ? `customer ${caller.customerId}`
        : `address ${ipKeyGenerator(request.ip ?? '')}`;
    },
    handler(_request, response, next) {
      const seconds = Number(response.getHeader('Retry-After')) || windowMs / 1000;
      const headers = { 'Retry-After': String(seconds) };
      next(new Problem('TOO_MANY_REQUESTS', `More than ${perMinute} calls in a minute: wait.`, undefined, headers));
    },
  });
  return async (request, response, caller) => {
    if (caller?.kind === 'operator') return;
    if (caller) callers.set(request, caller);
    await new Promise<void>((resolve, reject) => {
      void count(request, response, (error?: unknown) => (error === undefined ? resolve() : reject(error as Error)));
    });
  };
}
