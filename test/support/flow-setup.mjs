// The whole system for the flow tests, one process of each service.
import { startSystem } from './whole-system.mjs';

/** Short, so that a hold can expire, an order be too old, and the tries of a step be used up within a test. */
const env = {
  HOLD_GRACE: 'PT2S',
  SWEEP_INTERVAL: 'PT1S',
  RETRY_BACKOFF: 'PT0.25S',
  LOG_LEVEL: 'info',
  RECONCILE_SETTLE: 'PT1S',
};

export default () => startSystem('flow', { env });
