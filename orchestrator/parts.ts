/** What the orchestrator's handlers work with. */
import type { Db } from '@ticket-saga/runtime/database';
import type { Engine } from '@ticket-saga/runtime/engine';
import type { Logger } from '@ticket-saga/runtime/logger';
import type { Operate } from './operate.ts';
import type { Services } from './services.ts';

export type OrchestratorSettings = {
  AUTH_MODE: 'local' | 'jwt';
  /** ISO 8601 durations. */
  PAYMENT_DEADLINE: string;
  HOLD_GRACE: string;
  ORDER_MAX_AGE: string;
  REINSTATE_WITHIN: string;
  PAYMENT_EVENT_SECRET: string;
  SILENT_AFTER: string;
  /** Where a person's browser finds them. */
  OPERATE_URL: string;
  ORDER_URL: string;
};

export type OrchestratorParts = {
  db: Db;
  engine: Engine;
  services: Services;
  operate: Operate;
  /** Element ids of our diagrams. */
  compensationHandlers: ReadonlySet<string>;
  logger: Logger;
  settings: OrchestratorSettings;
};

/** The name under which the inbox keeps what this service has handled. */
export const consumerName = 'orchestrator';
