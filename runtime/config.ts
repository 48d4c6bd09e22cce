/** Settings come from the environment, are read once in `main.ts`, and are all checked before anything starts. */
import { longestRedeliveryMs } from '@ticket-saga/contract/topics';
import { Duration } from 'luxon';
import { z } from 'zod';

/** sysexits EX_CONFIG: a supervisor can tell a wrong setting from a crash. */
const badSettings = 78;

export class ConfigError extends Error {
  readonly code = 'BAD_SETTINGS';
}

/** Parses `env`; throws one `ConfigError` that lists every problem, so that none has to be found by a second start. */
export function readConfig<Shape extends z.ZodObject>(
  schema: Shape,
  env: NodeJS.ProcessEnv = process.env,
): z.infer<Shape> {
  const given = Object.fromEntries(Object.entries(env).filter(([, value]) => value !== ''));
  const parsed = schema.safeParse(given);
  if (parsed.success) return parsed.data;
  const lines = parsed.error.issues.map((issue) => `  ${issue.path.join('.')}: ${issue.message}`);
  throw new ConfigError(`These settings (environment variables) are wrong:\n${lines.join('\n')}`);
}

/** For `main.ts`: as `readConfig`, but a wrong setting ends the process with the list on standard error. */
export function readConfigOrExit<Shape extends z.ZodObject>(schema: Shape): z.infer<Shape> {
  try {
    return readConfig(schema);
  } catch (error) {
    if (!(error instanceof ConfigError)) throw error;
    process.stderr.write(`${error.message}\n`);
    process.exit(badSettings);
  }
}

export const port = (standard: number) => z.coerce.number().int().min(0).max(65535).default(standard);

/** An ISO 8601 duration such as `PT15M`; it must be longer than nothing. */
export const duration = (standard: string) =>
  z.iso
    .duration({ error: 'must be an ISO 8601 duration such as PT15M', abort: true })
    .refine((text) => durationMs(text) > 0, 'must be longer than nothing')
    .default(standard);

/** Milliseconds of an ISO 8601 duration; a month counts 30 days and a year 365, as in PostgreSQL's epoch. */
export function durationMs(iso: string): number {
  return Duration.fromISO(iso).toMillis();
}

/** What every service reads. */
export const serviceSettings = {
  BIND_ADDRESS: z.string().default('127.0.0.1'),
  LOG_LEVEL: z.enum(['error', 'warn', 'info', 'debug']).default('info'),
  DATABASE_HOST: z.string().default('127.0.0.1'),
  POSTGRES_PORT: port(5433),
  DATABASE_NAME: z.string().default('tickets'),
  /** A part of the service that stands still for this long is not ready. An idle worker is heard of every 10 s. */
  STALLED_AFTER: duration('PT1M').refine((text) => durationMs(text) >= 15_000, 'must not be shorter than PT15S'),
  DATABASE_POOL: z.coerce.number().int().min(1).max(100).default(10),
};

export const kafkaSettings = {
  KAFKA_BROKERS: z
    .string()
    .default('127.0.0.1:9092')
    .transform((list) => list.split(',').map((broker) => broker.trim())),
  /** Signs what our services write to Kafka; all have the same. */
  EVENT_SECRET: z.string().min(8).default('local-event-secret'),
};

export const engineSettings = {
  ZEEBE_GRPC_ADDRESS: z.string().default('grpc://127.0.0.1:26500'),
  /** How long a job is lent to a worker before the engine gives it to another. */
  JOB_TIMEOUT: duration('PT30S'),
  /** The pause before a step whose dependency failed is tried again; doubles, eight times as long at the most. */
  RETRY_BACKOFF: duration('PT1S'),
  /** Jobs of one type that one process works on at once. */
  JOB_CONCURRENCY: z.coerce.number().int().min(1).max(500).default(16),
};

/** Only those with a key pair: with a shared secret, whoever checks tokens could write them. */
export const jwtAlgorithms = [
  'RS256',
  'RS384',
  'RS512',
  'PS256',
  'PS384',
  'PS512',
  'ES256',
  'ES384',
  'ES512',
  'EdDSA',
] as const;

export const identitySettings = {
  AUTH_MODE: z.enum(['local', 'jwt']).default('local'),
  /**
   * Whoever sets it vouches that a public BIND_ADDRESS is reached over loopback only, as that of a container whose
   * ports are published on 127.0.0.1: local mode, which trusts every caller, is then not refused.
   */
  LOCAL_MODE_BEHIND_LOOPBACK: z.stringbool().default(false),
  /** Local mode: what operators log in with (HTTP Basic). */
  OPERATOR_USER: z.string().default('techlead'),
  OPERATOR_PASSWORD: z.string().default('zup@123'),
  /** JWT mode: where the keys are, or one key as PEM (SPKI); and what the token must say. */
  JWT_JWKS_URL: z.url().optional(),
  JWT_PUBLIC_KEY: z.string().optional(),
  JWT_ALGORITHM: z.enum(jwtAlgorithms).default('RS256'),
  JWT_ISSUER: z.string().optional(),
  JWT_AUDIENCE: z.string().optional(),
  /** Calls of one customer, or of one address, in a minute at one process; 0: no limit. Default: none in local mode. */
  RATE_LIMIT: z.coerce.number().int().min(0).optional(),
  /** How many proxies stand in front, whose word on the caller's address is believed. */
  TRUST_PROXY: z.coerce.number().int().min(0).max(10).default(0),
};

/** Where the other services are, and how one that acts for operators says who it is. */
export const servicesSettings = {
  ORDER_URL: z.url().default('http://127.0.0.1:8080'),
  INVENTORY_URL: z.url().default('http://127.0.0.1:8081'),
  PAYMENT_URL: z.url().default('http://127.0.0.1:8082'),
  /** The `Authorization` header of these calls. In local mode the operator's name and password, by default. */
  SERVICE_AUTHORIZATION: z.string().optional(),
};

/** How long something is kept; a time in which it may still be asked for is refused. */
export const keep = (standard: string, leastMs: number, why: string) =>
  duration(standard).refine((text) => durationMs(text) >= leastMs, `is too short: ${why}`);

/** What redelivery may still ask for is not cleaned up. */
const redelivery = `Kafka may deliver a message again for ${longestRedeliveryMs / 86_400_000} days`;

/** Clean-up of what is done (`docs/operating.md` says why each default is safe). */
export const retentionSettings = {
  /** How often. */
  RETENTION_EVERY: duration('PT10M'),
  /** Events that were sent. */
  OUTBOX_KEEP: keep('P21D', longestRedeliveryMs, redelivery),
  /** The keys of events that were handled. */
  INBOX_KEEP: keep('P21D', longestRedeliveryMs, redelivery),
};

/**
 * In JWT mode the secrets that stand in this repository are refused: whoever reads it could sign payments.
 * Throws one `ConfigError` that names all of them.
 */
export function refuseLocalSecrets(settings: { AUTH_MODE: 'local' | 'jwt' }, secrets: Record<string, string>): void {
  if (settings.AUTH_MODE === 'local') return;
  const known = Object.keys(secrets).filter((name) => secrets[name]?.startsWith('local-'));
  if (known.length > 0) throw new ConfigError(`AUTH_MODE=jwt needs secrets of your own; set ${known.join(', ')}.`);
}
