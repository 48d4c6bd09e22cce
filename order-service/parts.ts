/** What order-service's routes work with. */
import type { Db } from '@ticket-saga/runtime/database';
import type { Logger } from '@ticket-saga/runtime/logger';
import type { Relay } from '@ticket-saga/runtime/relay';
import type { AuthMode } from './access.ts';
import type { AskInventory } from './catalog.ts';
import type { Diagram } from './diagram.ts';
import type { OrderEvents } from './order-events.ts';

export type OrderParts = {
  db: Db;
  diagram: Diagram;
  askInventory: AskInventory;
  orderEvents: OrderEvents;
  logger: Logger;
  /** Sends the outbox; none in tests without Kafka. */
  relay?: Relay;
  idempotencyKeepMs: number;
  settings: { AUTH_MODE: AuthMode; PAYMENT_DEADLINE: string };
};
