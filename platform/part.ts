import type { Jdk } from './jdk.ts';
import type { Ports, PortVariable } from './settings.ts';

export const partNames = [
  'postgres',
  'kafka',
  'opensearch',
  'camunda',
  'operate',
  'migrate',
  'provider-simulator',
  'inventory-service',
  'payment-service',
  'order-service',
  'orchestrator',
] as const;

/** Ours, stateless: several of each may run. The simulator stands for somebody else's system and runs once. */
export const copiedServices = ['inventory-service', 'payment-service', 'order-service', 'orchestrator'] as const;

/** The second process of a service is `order-service-2`, and so on. */
export type CopyName = `${(typeof copiedServices)[number]}-${number}`;

export type PartName = (typeof partNames)[number] | CopyName;

export interface Command {
  file: string;
  args: readonly string[];
  env: NodeJS.ProcessEnv;
  cwd: string;
  /** PostgreSQL refuses to run as root. */
  uid?: number;
  gid?: number;
}

/** Says what is being done right now, for the progress display. */
export type Note = (text: string) => void;

interface Common {
  name: PartName;
  /** For people: "Camunda 8.6.0". */
  title: string;
  /** Must be ready before this one starts, and stops after it. Parts that do not run here are ignored. */
  needs: readonly PartName[];
  /** May start later than this one, but stops after it. */
  uses?: readonly PartName[];
  ports: readonly PortVariable[];
}

/** A process that is kept running. */
export interface ServerPart extends Common {
  kind: 'server';
  /** Once before the first start: downloads, initial data, configuration files. */
  prepare?: (note: Note, signal: AbortSignal) => Promise<void>;
  command: () => Promise<Command>;
  /** One probe; a throw counts as "not yet". */
  ready: (signal: AbortSignal) => Promise<boolean>;
  /** Once, when it is ready for the first time. */
  afterReady?: () => Promise<void>;
  readyWithinSeconds: number;
  stopSignal: 'SIGTERM' | 'SIGINT';
  /** Then it is killed. */
  stopWithinSeconds: number;
}

/** Something that is done once at each start, in order. */
export interface StepPart extends Common {
  kind: 'step';
  commands: () => Promise<readonly Command[]>;
}

export type Part = ServerPart | StepPart;

/** What every part is built from. */
export interface PartContext {
  root: string;
  dataDir: string;
  cacheDir: string;
  ports: Ports;
  /** The caller's environment, without npm's own variables. */
  env: NodeJS.ProcessEnv;
  /** `env` and what the services are told about the parts. */
  serviceEnv: NodeJS.ProcessEnv;
  jdk: () => Promise<Jdk>;
  engine: EngineOptions;
  /** false, for tests: starts faster, and PostgreSQL's writes survive a killed process but not a power cut. */
  durable: boolean;
}

export interface EngineOptions {
  /** `opensearch` feeds Operate; `log` writes every engine record as a JSON line into the broker's log. */
  exporter: 'opensearch' | 'log' | 'none';
  /** `controlled`: POST /actuator/clock/add on the management port turns it. */
  clock: 'system' | 'controlled';
}
