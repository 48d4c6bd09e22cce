/** The orchestrator's routes on a real database, before the other services as they are; the engine only counts its calls. */
import { createOrchestratorApp } from '../../orchestrator/app.ts';
import { keepDeadLetter, keepForeign } from '../../orchestrator/dead-letters.ts';
import { noteProcess } from '../../orchestrator/further-processes.ts';
import type { OrchestratorParts } from '../../orchestrator/parts.ts';
import { beginRun, endRun } from '../../orchestrator/reconcile-runs.ts';
import type { Reconciler } from '../../orchestrator/reconcile-schedule.ts';
import { requestRefund } from '../../orchestrator/refunds.ts';
import { createServices } from '../../orchestrator/services.ts';
import { listening } from '../../order-service/test/support.ts';
import { deadLetterOf } from '../../runtime/dead-letters.ts';
import { createHealth } from '../../runtime/health.ts';
import type { Authenticate } from '../../runtime/identity.ts';
import { createLogger } from '../../runtime/logger.ts';
import { createMetrics } from '../../runtime/metrics.ts';
import type { TestDatabase } from './postgres.ts';

export type OrchestratorOptions = {
  database: TestDatabase;
  authenticate: Authenticate;
  urls: { ORDER_URL: string; INVENTORY_URL: string; PAYMENT_URL: string };
  /** An order with a stuck step of this process instance, and a product, that exist. */
  orderId: string;
  productId: string;
  processInstanceKey: string;
};

export async function openOrchestrator(options: OrchestratorOptions) {
  const { database, authenticate, urls, orderId, productId, processInstanceKey } = options;
  const db = database.db('orchestration');
  const logger = createLogger('test', 'silent');
  let engineCalls = 0;
  const called = async () => void (engineCalls += 1);
  const engine = { restartElement: called, resolveIncident: called };
  const operate = { incidentAt: async () => ({ incidentKey: '7', jobKey: '8' }), versionOf: async () => 1 };
  const secrets = { AUTH_MODE: 'local' as const, OPERATOR_USER: 'techlead', OPERATOR_PASSWORD: 'zup@123' };
  const settings = { ...urls, ...secrets, SILENT_AFTER: 'PT10M', OPERATE_URL: 'http://127.0.0.1:8081' };
  const services = createServices(settings);
  const compensationHandlers = new Set(['CancelPayment']);
  const known = { db, engine, operate, services, compensationHandlers, logger, settings };
  const parts = known as unknown as OrchestratorParts;
  // What a run does is not its route's business; what must hold is that a refused request begins none.
  const reconciler: Reconciler = {
    async start(wanted) {
      const run = await beginRun(db, wanted);
      if (run) await endRun(db, run, 'DONE');
      return run;
    },
    stop: async () => undefined,
  };

  await noteProcess(db, orderId, processInstanceKey, 1);
  const refund = await requestRefund(parts, { operator: 'techlead', reason: 'rain', productId });
  const value = Buffer.from('{}');
  const source = { topic: 'created-orders', partition: 0, offset: '1', key: orderId, value, headers: {} };
  const letter = deadLetterOf('orchestrator', source, { code: 'UNREADABLE_MESSAGE', message: 'no' });
  await keepDeadLetter(db, letter, Buffer.from(JSON.stringify(letter)));
  await keepForeign(db, { headers: {}, rawValue: value, source });
  await reconciler.start({ operator: 'techlead', reason: 'look', repair: false });

  const about = { service: 'orchestrator', version: 'test', logger, health: createHealth() };
  const app = createOrchestratorApp({ ...about, metrics: createMetrics('o') }, authenticate, { ...parts, reconciler });
  return { ...(await listening(app)), ids: [orderId, productId, refund, '1'], engineCalls: () => engineCalls };
}
