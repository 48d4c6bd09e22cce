/** The three classes of failure (ARCHITECTURE 4), and whose fault a failure is. */
import type { BpmnErrorCode } from '@ticket-saga/contract/errors';
import { bpmnErrors } from '@ticket-saga/contract/errors';

/** A business outcome: thrown as a BPMN error, the diagram decides what follows. */
export class BusinessError extends Error {
  readonly code: BpmnErrorCode;
  /** Sent along as process variables, beside `reasonCode` and `reasonMessage`. */
  readonly variables: Record<string, unknown>;
  constructor(code: BpmnErrorCode, message: string = bpmnErrors[code], variables: Record<string, unknown> = {}) {
    super(message);
    this.code = code;
    this.variables = variables;
  }
}

/** The outside world failed for now (the payment provider answers 503): counts as a try. */
export class PassingFault extends Error {
  readonly code: string;
  constructor(code: string, message: string, cause?: unknown) {
    super(message, cause === undefined ? {} : { cause });
    this.code = code;
  }
}

/** Can never succeed however often it is tried: an incident for a job, a dead letter for a message. */
export class PermanentError extends Error {
  readonly code: string;
  constructor(code: string, message: string, cause?: unknown) {
    super(message, cause === undefined ? {} : { cause });
    this.code = code;
  }
}

/** SQLSTATE classes that say the server is away, going away, or out of room: connection, login, resources, operator, system, locks. */
const serverAway = /^(08|28|53|57|58|40|25P03|55P03)/;
const networkCodes = new Set([
  'ECONNREFUSED',
  'ECONNRESET',
  'ETIMEDOUT',
  'EPIPE',
  'ENOTFOUND',
  'EHOSTUNREACH',
  'EAI_AGAIN',
  'DEADLINE_EXCEEDED',
]);
/** gRPC: cancelled, deadline exceeded, resource exhausted, aborted, internal (the engine is paused), unavailable. */
const engineAway = new Set([1, 4, 8, 10, 13, 14]);
/** Prisma: unreachable, timed out, closed connection, pool time-out, transaction time-out or conflict. */
const prismaAway = new Set(['P1001', 'P1002', 'P1008', 'P1011', 'P1017', 'P2024', 'P2028', 'P2034', 'P2037']);
const awayText =
  /connection terminated|can't reach database|connection (refused|closed|reset)|server closed the connection|timeout exceeded when trying to connect|not queryable/i;

/**
 * True when our own database, broker or engine failed, not the request: no try is used up, the caller slows down and
 * comes again. Follows causes, because Prisma wraps the driver's error.
 */
export function isOwnFault(error: unknown): boolean {
  // Judged already: the provider's refused connection, kept as a cause, looks like our own database's.
  if (error instanceof PassingFault || error instanceof PermanentError || error instanceof BusinessError) return false;
  for (const at of chain(error)) {
    if (at.name.startsWith('KafkaJS')) return true;
    if (at.name === 'PrismaClientInitializationError' || at.name === 'PrismaClientRustPanicError') return true;
    if (awayText.test(at.message)) return true;
    if ('code' in at && typeof at.code === 'number' && engineAway.has(at.code)) return true;
    for (const code of codesOf(at))
      if (networkCodes.has(code) || prismaAway.has(code) || serverAway.test(code)) return true;
  }
  return false;
}

/**
 * True when the engine asks to come again a little later (RESOURCE_EXHAUSTED): it works, it has more to do than it wants.
 * Nothing is broken, so that this must only slow things down.
 */
export function isBackPressure(error: unknown): boolean {
  return chain(error).some((at) => 'code' in at && at.code === 8);
}

/**
 * True when the database refuses the data itself (SQLSTATE class 22: out of range, a null byte in a text): the same data
 * will be refused for ever.
 */
export function isUnstorable(error: unknown): boolean {
  return chain(error).some((at) => codesOf(at).some((code) => /^22\w{3}$/.test(code)));
}

function chain(error: unknown): Error[] {
  const errors: Error[] = [];
  for (let at = error; at instanceof Error && errors.length < 6; at = at.cause) errors.push(at);
  return errors;
}

/** The error's own code and the SQLSTATE that Prisma keeps in `meta`. */
function codesOf(error: Error): string[] {
  const codes: string[] = [];
  if ('code' in error) codes.push(String(error.code));
  if ('originalCode' in error) codes.push(String(error.originalCode));
  if ('meta' in error) codes.push(...sqlStates(error.meta));
  if (error.cause && !(error.cause instanceof Error)) codes.push(...sqlStates(error.cause));
  return codes;
}

function sqlStates(value: unknown, depth = 0): string[] {
  if (depth > 4 || typeof value !== 'object' || value === null) return [];
  return Object.entries(value).flatMap(([key, inner]) =>
    (key === 'code' || key === 'originalCode') && typeof inner === 'string' ? [inner] : sqlStates(inner, depth + 1),
  );
}
