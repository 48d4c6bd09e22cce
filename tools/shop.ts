/** The shop as its users see it, over HTTP, Kafka and the engine: for the demo and the whole-system tests. */
import { randomUUID } from 'node:crypto';
import { orderStatus, stepState } from '@ticket-saga/contract/states';
import { topics } from '@ticket-saga/contract/topics';
import { createEngine } from '@ticket-saga/runtime/engine';
import { createKafka, createProducer, type OutgoingRecord } from '@ticket-saga/runtime/kafka';
import { createLogger } from '@ticket-saga/runtime/logger';
import { sign } from '@ticket-saga/runtime/signature';
import { z } from 'zod';
import { operationsSettings } from './operations.ts';

/** The part of `GET /orders/{id}` that is looked at here. */
export const orderView = z.looseObject({
  id: z.string(),
  customerId: z.string(),
  items: z.array(z.looseObject({ id: z.string(), quantity: z.number() })),
  totalPrice: z.number(),
  status: orderStatus,
  reason: z.object({ code: z.string(), message: z.string() }).nullable(),
  stage: z.string(),
  currentStep: z.string().nullable(),
  finished: z.boolean(),
  payBy: z.string().nullable(),
  payment: z.looseObject({ state: z.string() }).nullable(),
  tickets: z.array(z.object({ code: z.string(), productId: z.string() })),
  steps: z.array(
    z.looseObject({
      id: z.string(),
      name: z.string(),
      state: stepState,
      attempts: z.number(),
      error: z.looseObject({ code: z.string(), message: z.string() }).nullable(),
    }),
  ),
  history: z.array(z.object({ state: z.string(), at: z.string() })),
});
export type OrderView = z.infer<typeof orderView>;

const productView = z.looseObject({
  id: z.string(),
  price: z.number(),
  capacity: z.number(),
  available: z.number(),
  held: z.number(),
  sold: z.number(),
});
export type ProductView = z.infer<typeof productView>;

export type ShopUrls = {
  order: string;
  inventory: string;
  payment: string;
  provider: string;
  kafkaBrokers: string[];
  zeebe: string;
};

/** Where `npm start` puts everything, by the same variables. */
export function shopUrls(env: NodeJS.ProcessEnv = process.env): ShopUrls {
  const at = (variable: string, standard: number) => `http://127.0.0.1:${env[variable] || standard}`;
  return {
    order: env['ORDER_URL'] || at('ORDER_PORT', 8080),
    inventory: env['INVENTORY_URL'] || at('INVENTORY_PORT', 8081),
    payment: env['PAYMENT_URL'] || at('PAYMENT_PORT', 8082),
    provider: env['PROVIDER_URL'] || at('PROVIDER_PORT', 8089),
    kafkaBrokers: (env['KAFKA_BROKERS'] || `127.0.0.1:${env['KAFKA_PORT'] || 9092}`).split(','),
    zeebe: env['ZEEBE_GRPC_ADDRESS'] || `grpc://127.0.0.1:${env['ZEEBE_GRPC_PORT'] || 26500}`,
  };
}

export type Shop = ReturnType<typeof openShop>;

export function openShop(urls: ShopUrls, env: NodeJS.ProcessEnv = process.env) {
  const operator = `Basic ${Buffer.from(`${env['OPERATOR_USER'] || 'techlead'}:${env['OPERATOR_PASSWORD'] || 'zup@123'}`).toString('base64')}`;
  const kafka = createKafka(urls.kafkaBrokers, 'shop-client', createLogger('shop-client', 'silent'));
  const producer = createProducer(kafka);
  const engine = createEngine(urls.zeebe);
  const operations = operationsSettings(env);
  const operatorHeaders = { authorization: operator };
  const providerHeaders = { authorization: `Bearer ${env['PROVIDER_API_KEY'] || 'local-provider-key'}` };

  return {
    urls,
    operatorHeaders,
    /** What the provider's customers (we are one) call it with. */
    providerHeaders,
    kafka,
    engine,
    /** Any call: status, headers and the parsed body. */
    call,
    place: async (body: unknown, headers: Record<string, string> = {}): Promise<OrderView> => {
      const answer = await call('POST', `${urls.order}/orders`, body, headers);
      return orderView.parse(expectStatus(answer, 202).body);
    },
    order: async (id: string): Promise<OrderView> =>
      orderView.parse(
        expectStatus(await call('GET', `${urls.order}/orders/${id}`, undefined, operatorHeaders), 200).body,
      ),
    cancel: (id: string) => call('POST', `${urls.order}/orders/${id}/cancel`, undefined, operatorHeaders),
    /** A new product that order-service sells already. */
    addProduct: async (
      stock: number,
      price = 10,
      id: string = `p-${randomUUID().slice(0, 13)}`,
    ): Promise<ProductView> => {
      const answer = await call(
        'POST',
        `${urls.inventory}/products`,
        { id, name: `Product ${id}`, price, stock },
        operatorHeaders,
      );
      return productView.parse(expectStatus(answer, 201).body);
    },
    product: async (id: string): Promise<ProductView> =>
      productView.parse(expectStatus(await call('GET', `${urls.inventory}/products/${id}`), 200).body),
    changeProduct: (id: string, change: object) =>
      call('PATCH', `${urls.inventory}/products/${id}`, change, operatorHeaders),
    /** payment-service's row of the order. */
    payment: (orderId: string) => call('GET', `${urls.payment}/payments/${orderId}`, undefined, operatorHeaders),
    /** A person at the provider decides a payment that waits for one (tok_manual). */
    decideAtProvider: async (orderId: string, status: 'APPROVED' | 'DECLINED'): Promise<void> => {
      const payment = z
        .looseObject({ id: z.string() })
        .parse(
          expectStatus(await call('GET', `${urls.payment}/payments/${orderId}`, undefined, operatorHeaders), 200).body,
        );
      const url = `${urls.provider}/v1/payments/${payment.id}/decide`;
      expectStatus(await call('POST', url, { status }, providerHeaders), 202);
    },
    /** Sends a record to Kafka as it is. */
    send: (topic: string, key: string, value: string) => producer.send([{ topic, key, value, headers: {} }]),
    sendAll: (records: OutgoingRecord[]) => producer.send(records),
    /** Calls payment-service as the provider does, signed now. */
    webhook: (event: object) => {
      const body = JSON.stringify(event);
      const at = Math.floor(Date.now() / 1000);
      const signature = `t=${at},v1=${sign(env['WEBHOOK_SECRET'] || 'local-webhook-secret', `${at}.${body}`)}`;
      return call('POST', `${urls.payment}/webhooks/payments`, body, { 'webhook-signature': signature });
    },
    /** A hand-written payment result, as `npm run kafka -- send payment-event` sends it. */
    sendPaymentEvent: (orderId: string, type: string, more: object = {}) => {
      const event = {
        idempotencyKey: `by-hand:${randomUUID()}`,
        occurredAt: new Date().toISOString(),
        type,
        orderId,
        ...more,
      };
      return producer.send([{ topic: topics.paymentEvent, key: orderId, value: JSON.stringify(event), headers: {} }]);
    },
    /** An operator stops the order: 202, or 409 when it has ended or was asked to stop before. */
    abort: (id: string) => {
      const url = `${operations.url}/operations/orders/${id}/abort`;
      return call('POST', url, { reason: 'a trial' }, { authorization: operations.authorization });
    },
    close: async () => {
      await producer.stop();
      await engine.close();
    },
  };
}

export type Answer = { status: number; headers: Headers; body: unknown };

async function call(
  method: string,
  url: string,
  body?: unknown,
  headers: Record<string, string> = {},
  withinMs = 60_000,
): Promise<Answer> {
  const response = await fetch(url, {
    method,
    signal: AbortSignal.timeout(withinMs),
    headers: { ...(body === undefined ? {} : { 'content-type': 'application/json' }), ...headers },
    ...(body === undefined ? {} : { body: typeof body === 'string' ? body : JSON.stringify(body) }),
  });
  const text = await response.text();
  const json = response.headers.get('content-type')?.includes('json');
  return { status: response.status, headers: response.headers, body: json && text ? JSON.parse(text) : text };
}

function expectStatus(answer: Answer, status: number): Answer {
  if (answer.status === status) return answer;
  throw new Error(`Expected ${status}, got ${answer.status}: ${JSON.stringify(answer.body)}`);
}
