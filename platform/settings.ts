import { homedir } from 'node:os';
import { dirname, join, resolve } from 'node:path';
import { fileURLToPath } from 'node:url';
import { existsSync } from 'node:fs';
import { z } from 'zod';
import { PlatformError } from './errors.ts';

/** The ports of every part, by the variable that changes them. All bind to 127.0.0.1. */
export const portDefaults = {
  ORDER_PORT: 8080,
  INVENTORY_PORT: 8081,
  PAYMENT_PORT: 8082,
  ORCHESTRATOR_PORT: 8083,
  OPERATE_PORT: 8088,
  PROVIDER_PORT: 8089,
  POSTGRES_PORT: 5433,
  KAFKA_PORT: 9092,
  KAFKA_CONTROLLER_PORT: 9093,
  OPENSEARCH_PORT: 9200,
  OPENSEARCH_TRANSPORT_PORT: 9300,
  ZEEBE_GRPC_PORT: 26500,
  ZEEBE_COMMAND_PORT: 26501,
  ZEEBE_INTERNAL_PORT: 26502,
  ZEEBE_HTTP_PORT: 8087,
  ZEEBE_MANAGEMENT_PORT: 9600,
  OPERATE_MANAGEMENT_PORT: 9601,
  OPERATE_CLUSTER_PORT: 9602,
};

export type PortVariable = keyof typeof portDefaults;
export type Ports = Record<PortVariable, number>;

export const portVariables = Object.keys(portDefaults).filter((name): name is PortVariable => name in portDefaults);

/** The OpenSearch runner looks for its port no further than this, and has no option to change it. */
export const highestOpenSearchPort = 9299;

const port = (fallback: number, highest = 65_535) =>
  z.preprocess(
    (value) => (value === '' ? undefined : value),
    z.coerce.number().int().min(1).max(highest).default(fallback),
  );

const portsSchema = z.object(
  Object.fromEntries(
    portVariables.map((name) => [
      name,
      port(portDefaults[name], name === 'OPENSEARCH_PORT' ? highestOpenSearchPort : undefined),
    ]),
  ),
);

const directoriesSchema = z.object({
  DATA_DIR: z.string().default(''),
  CACHE_DIR: z.string().default(''),
  OPERATE_KEEP: z
    .string()
    .transform((text) => text || 'P30D')
    .pipe(z.string().regex(/^P\d{1,5}D$/, 'must be a number of days such as P30D'))
    .transform((text) => Number(text.slice(1, -1)))
    // What the engine wrote yesterday Operate may still have to read.
    .refine((days) => days >= 3, 'must not be shorter than P3D')
    .default(30),
  COPIES: z.preprocess((value) => (value === '' ? undefined : value), z.coerce.number().int().min(1).max(9).default(1)),
});

export interface Settings {
  ports: Ports;
  /** What the parts write: databases, topics, engine data, indices, logs. */
  dataDir: string;
  /** Downloads, shared between clones. */
  cacheDir: string;
  /** How many processes of each of our services. */
  copies: number;
  /** How long Operate's finished days are kept, days. */
  operateKeepDays: number;
}

/** The checkout: the nearest directory above this file that holds the lock file (the same from source and from `dist`). */
export function repositoryRoot(from: string = dirname(fileURLToPath(import.meta.url))): string {
  if (existsSync(join(from, 'package-lock.json'))) return from;
  const up = dirname(from);
  if (up === from) throw new PlatformError('Cannot find the checkout: package-lock.json is missing.');
  return repositoryRoot(up);
}

export const defaultCacheDir = (env: NodeJS.ProcessEnv): string =>
  resolve(env['CACHE_DIR'] || join(homedir(), '.cache', 'ticket-saga'));

/** Reads ports and directories from the environment. Throws one PlatformError that lists everything that is wrong. */
export function readSettings(env: NodeJS.ProcessEnv): Settings {
  const parsed = portsSchema.and(directoriesSchema).safeParse(env);
  if (!parsed.success) {
    const problems = parsed.error.issues.map((issue) => `  ${issue.path.join('.')}: ${issue.message}`);
    throw new PlatformError(`These settings cannot be used:\n${problems.join('\n')}`);
  }
  const ports = { ...portDefaults };
  for (const name of portVariables) ports[name] = Number(parsed.data[name]);
  return {
    ports,
    dataDir: resolve(repositoryRoot(), parsed.data.DATA_DIR || '.data'),
    cacheDir: defaultCacheDir(env),
    copies: parsed.data.COPIES,
    operateKeepDays: parsed.data.OPERATE_KEEP,
  };
}

/** What clients and people use to reach the parts. */
export function urlsOf(ports: Ports) {
  const http = (name: PortVariable) => `http://127.0.0.1:${ports[name]}`;
  return {
    order: http('ORDER_PORT'),
    inventory: http('INVENTORY_PORT'),
    payment: http('PAYMENT_PORT'),
    orchestrator: http('ORCHESTRATOR_PORT'),
    provider: http('PROVIDER_PORT'),
    operate: http('OPERATE_PORT'),
    opensearch: http('OPENSEARCH_PORT'),
    zeebe: `grpc://127.0.0.1:${ports.ZEEBE_GRPC_PORT}`,
    /** The broker's actuator: health, and the clock when it is controlled. */
    zeebeManagement: http('ZEEBE_MANAGEMENT_PORT'),
    kafka: `127.0.0.1:${ports.KAFKA_PORT}`,
    postgres: `postgresql://postgres:postgres@127.0.0.1:${ports.POSTGRES_PORT}/tickets`,
  };
}

export type Urls = ReturnType<typeof urlsOf>;

/** What every service, migration and seed is told about the parts. */
export function serviceEnvironment(ports: Ports): Record<string, string> {
  const urls = urlsOf(ports);
  return {
    ...Object.fromEntries(portVariables.map((name) => [name, String(ports[name])])),
    DATABASE_HOST: '127.0.0.1',
    POSTGRES_URL: urls.postgres,
    KAFKA_BROKERS: urls.kafka,
    ZEEBE_GRPC_ADDRESS: urls.zeebe,
    OPERATE_URL: urls.operate,
    ORDER_URL: urls.order,
    INVENTORY_URL: urls.inventory,
    PAYMENT_URL: urls.payment,
    PROVIDER_URL: urls.provider,
    ORCHESTRATOR_URL: urls.orchestrator,
  };
}
