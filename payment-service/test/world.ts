/** payment-service and the provider's simulator side by side: a real database, real HTTP between them, no engine, no Kafka. */
import { randomUUID } from 'node:crypto';
import { jobs } from '../../contract/jobs.ts';
import { deadLetter, orderStepsEvent, paymentEvent } from '../../contract/topics.ts';
import type { Db } from '../../runtime/database.ts';
import { createHealth } from '../../runtime/health.ts';
import { closeServer, listen } from '../../runtime/http.ts';
import { createAuthenticate } from '../../runtime/identity.ts';
import { createLogger } from '../../runtime/logger.ts';
import { createMetrics } from '../../runtime/metrics.ts';
import { createProviderApp } from '../../provider-simulator/app.ts';
import { type Clockwork, startClockwork } from '../../provider-simulator/clockwork.ts';
import { signWebhook } from '../../provider-simulator/signature.ts';
import { testContext } from '../../test/support/context.ts';
import { eventually } from '../../test/support/eventually.ts';
import { testDatabase } from '../../test/support/postgres.ts';
import { createPaymentApp } from '../app.ts';
import { paymentIdOf } from '../payment-id.ts';
import { type Payment, readByOrder } from '../payment-row.ts';
import { acceptPayment, refundPayment } from '../late-money.ts';
import { cancelPayment, closePayment, requestPayment } from '../payments.ts';
import { createProvider } from '../provider.ts';
import type { Parts } from '../settle.ts';
import { z } from 'zod';

export const webhookSecret = 'test-webhook-secret';
export const eventSecret = 'test-event-secret';
const apiKey = 'test-api-key';
const operator = { Authorization: `Basic ${Buffer.from('techlead:zup@123').toString('base64')}` };

export type World = Awaited<ReturnType<typeof createWorld>>;

export async function createWorld() {
  const database = await testDatabase();
  const db = database.db('payments');
  const providerDb = database.db('provider');
  const logger = createLogger('test', 'error');
  logger.silent = true;
  const appParts = { version: 'test', logger, health: createHealth() };
  const authenticate = createAuthenticate({
    AUTH_MODE: 'local',
    BIND_ADDRESS: '127.0.0.1',
    OPERATOR_USER: 'techlead',
    OPERATOR_PASSWORD: 'zup@123',
    JWT_ALGORITHM: 'RS256',
  });

  const wound = () =>
    startClockwork({ db: providerDb, webhookSecret, logger, health: appParts.health.part('clockwork') });
  let clockwork: Clockwork | undefined = wound();
  const providerApp = createProviderApp(
    { ...appParts, service: 'provider-simulator', metrics: createMetrics('provider-simulator') },
    { db: providerDb, approvalLimit: 1_000_00, wake: () => clockwork?.wake(), apiKey },
  );
  const simulator = await listen(providerApp, 0, '127.0.0.1');
  const providerUrl = `http://127.0.0.1:${simulator.port}`;
  const callback = { callbackUrl: 'set below, when the port is known' };
  const provider = createProvider(Object.assign(callback, { url: providerUrl, apiKey, timeoutMs: 5_000 }));

  const parts: Parts = { db, eventSecret, logger, provider };
  const paymentApp = createPaymentApp(
    { ...appParts, service: 'payment-service', metrics: createMetrics('payment-service') },
    { ...parts, webhookSecret, authenticate },
  );
  const payments = await listen(paymentApp, 0, '127.0.0.1');
  const paymentUrl = `http://127.0.0.1:${payments.port}`;
  callback.callbackUrl = `${paymentUrl}/webhooks/payments`;

  const world = {
    database,
    db,
    providerDb,
    parts,
    paymentUrl,
    providerUrl,
    operator,
    providerHeaders: { Authorization: `Bearer ${apiKey}`, 'Content-Type': 'application/json' },
    /** The provider makes no decision and calls nobody, as if it had been killed. */
    async stopClockwork() {
      await clockwork?.stop();
      clockwork = undefined;
    },
    startClockwork() {
      clockwork ??= wound();
    },
    async stop() {
      await clockwork?.stop();
      await Promise.all([closeServer(payments.server), closeServer(simulator.server)]);
      await database.drop();
    },
  };
  return { ...world, ...steps(parts), ...observers(db, database.db('provider')), ...calls(world) };
}

/** The steps of the process, as its workers call them. `run` tells one element instance from another. */
function steps(parts: Parts) {
  const context = (orderId: string, job: (typeof jobs)[keyof typeof jobs], run: string, instance = 'instance') =>
    testContext({ orderId, job, processInstanceKey: `${instance}-of-${orderId}`, jobKey: run });
  return {
    request: (
      orderId: string,
      token: string | null = null,
      { total = 200_00, payBy = inMinutes(15), run = 'r1', as = parts } = {},
    ) => requestPayment(as, { orderId, total, payBy, paymentToken: token }, context(orderId, jobs.requestPayment, run)),
    close: (orderId: string, run = 'c1') => closePayment(parts, { orderId }, context(orderId, jobs.closePayment, run)),
    cancel: (orderId: string, run = 'x1', orderRefund?: boolean) =>
      cancelPayment(parts, { orderId, orderRefund }, context(orderId, jobs.cancelPayment, run)),
    /** Late money, as the process instance `by` of late-payment does it. */
    accept: (orderId: string, by = 'late', run = 'a1') =>
      acceptPayment(parts, { orderId }, context(orderId, jobs.acceptPayment, run, by)),
    refund: (orderId: string, by = 'late', run = 'b1') =>
      refundPayment(parts, { orderId }, context(orderId, jobs.refundPayment, run, by)),
  };
}

export function inMinutes(minutes: number): string {
  return new Date(Date.now() + minutes * 60_000).toISOString();
}

const outboxRow = z.object({
  topic: z.string(),
  key: z.string(),
  value: z.string(),
  headers: z.record(z.string(), z.string()),
});
const providerRow = z.object({
  status: z.string(),
  approvedAmount: z.int().nullable(),
  refundedAmount: z.int(),
  calls: z.int(),
});

function observers(db: Db, providerDb: Db) {
  const payment = async (orderId: string): Promise<Payment> => {
    const found = await readByOrder(db, orderId);
    if (!found) throw new Error(`no payment of ${orderId}`);
    return found;
  };
  const outbox = async (topic: string, orderId: string) =>
    outboxRow
      .array()
      .parse(
        await db.$queryRaw`select topic, key, value, headers from outbox where topic = ${topic} and key = ${orderId} order by id`,
      );
  const stepEvents = async (orderId: string) =>
    (await outbox('order-steps', orderId)).map((row) => orderStepsEvent.parse(JSON.parse(row.value)));
  return {
    payment,
    outbox,
    until: (orderId: string, state: Payment['state']) =>
      eventually(`payment is ${state}`, async () => {
        const found = await readByOrder(db, orderId);
        return found?.state === state ? found : undefined;
      }),
    stepEvents,
    history: async (orderId: string) => (await stepEvents(orderId)).flatMap((event) => event.history ?? []),
    paymentEvents: async (orderId: string) =>
      (await outbox('payment-event', orderId)).map((row) => paymentEvent.parse(JSON.parse(row.value))),
    deadLetters: async (orderId: string) =>
      (await outbox('dead-letters', orderId)).map((row) => deadLetter.parse(JSON.parse(row.value))),
    /** The provider's own view; `calls` counts the requests to it under any key of the payment. */
    async atProvider(orderId: string) {
      const rows = await providerDb.$queryRaw`
        select status, approved_amount as "approvedAmount", refunded_amount as "refundedAmount",
          (select coalesce(sum(calls), 0)::int from api_call where key like '%:' || reference) as calls
        from payment where reference = ${paymentIdOf(orderId)}`;
      return providerRow.array().parse(rows)[0];
    },
  };
}

function calls({
  paymentUrl,
  providerUrl,
  providerHeaders,
}: Pick<WorldParts, 'paymentUrl' | 'providerUrl' | 'providerHeaders'>) {
  return {
    /** A webhook by hand. */
    async webhook(body: unknown, { secret = webhookSecret, at = new Date(), signature = '' } = {}) {
      const text = typeof body === 'string' ? body : JSON.stringify(body);
      const response = await fetch(`${paymentUrl}/webhooks/payments`, {
        method: 'POST',
        headers: {
          'Content-Type': 'application/json',
          'Webhook-Signature': signature || signWebhook(secret, text, at),
        },
        body: text,
      });
      const json = z
        .object({ code: z.string().optional(), result: z.string().optional() })
        .parse(await response.json());
      return { status: response.status, ...json };
    },
    approval: (orderId: string, more: Record<string, unknown> = {}) => ({
      id: randomUUID(),
      type: 'payment.approved',
      reference: paymentIdOf(orderId),
      amount: 200_00,
      currency: 'GBP',
      occurredAt: new Date().toISOString(),
      ...more,
    }),
    decide: async (orderId: string, status: 'APPROVED' | 'DECLINED') => {
      const response = await fetch(`${providerUrl}/v1/payments/${paymentIdOf(orderId)}/decide`, {
        method: 'POST',
        headers: providerHeaders,
        body: JSON.stringify({ status }),
      });
      return response.status;
    },
  };
}
type WorldParts = { paymentUrl: string; providerUrl: string; providerHeaders: Record<string, string> };
