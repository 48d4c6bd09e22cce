/** What the orchestrator's handlers work with. */
import type { Db } from '@ticket-saga/runtime/database';
import type { Engine } from '@ticket-saga/runtime/engine';
import type { Logger } from '@ticket-saga/runtime/logger';
import type { Services } from './services.ts';

export type OrchestratorSettings = {
  AUTH_MODE: 'local' | 'jwt';
  /** ISO 8601 durations. */
  PAYMENT_DEADLINE: string;
  HOLD_GRACE: string;
  ORDER_MAX_AGE: string;
  PAYMENT_EVENT_SECRET: string;
};

export type OrchestratorParts = {
  db: Db;
  engine: Engine;
  services: Services;
  logger: Logger;
  settings: OrchestratorSettings;
};

/** The name under which the inbox keeps what this service has handled. */
export const consumerName = 'orchestrator';
