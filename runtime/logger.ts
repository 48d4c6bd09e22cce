/** Structured logs: one JSON object a line on standard output, as log forwarders want them. */
import winston from 'winston';

export type Logger = winston.Logger;

/** Names of fields whose values never go into a log. */
const secret = /password|secret|token|authorization|signature/i;

const hideSecrets = winston.format((info) => {
  for (const key of Object.keys(info)) info[key] = hidden(key, info[key]);
  return info;
});

const isPlain = (value: unknown): value is Record<string, unknown> =>
  typeof value === 'object' && value !== null && Object.getPrototypeOf(value) === Object.prototype;

function hidden(key: string, value: unknown, depth = 0): unknown {
  if (secret.test(key)) return '***';
  if (Array.isArray(value)) return value.map((one) => hidden('', one, depth + 1));
  if (!isPlain(value) || depth > 5) return value;
  return Object.fromEntries(Object.entries(value).map(([name, inner]) => [name, hidden(name, inner, depth + 1)]));
}

/** @param level of winston, or `silent` */
export function createLogger(service: string, level = 'info'): Logger {
  return winston.createLogger({
    level,
    silent: level === 'silent',
    defaultMeta: { service },
    format: winston.format.combine(
      winston.format.timestamp(),
      winston.format.errors({ stack: true }),
      hideSecrets(),
      winston.format.json(),
    ),
    transports: [new winston.transports.Console()],
  });
}

/** What of an error belongs into a log line: code, message and the chain of causes, without a page of stack. */
export function errorFields(error: unknown): { error: string; code?: string; cause?: string } {
  if (!(error instanceof Error)) return { error: String(error) };
  const code =
    'code' in error && (typeof error.code === 'string' || typeof error.code === 'number')
      ? String(error.code)
      : undefined;
  return {
    error: error.message || error.name,
    ...(code === undefined ? {} : { code }),
    ...(error.cause === undefined
      ? {}
      : { cause: error.cause instanceof Error ? error.cause.message : JSON.stringify(error.cause) }),
  };
}
