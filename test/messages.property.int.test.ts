/** Random messages on every topic, through the services' own handlers: each has its effect or is a dead letter. */
import { afterAll, beforeAll, expect, test } from '@jest/globals';
import fc from 'fast-check';
import { z } from 'zod';
import { catalogEvent, createdOrdersEvent, deadLetter, orderStepsEvent, paymentEvent } from '../contract/topics.ts';
import {
  keepDeadLetter,
  keepForeign,
  listDeadLetters,
  parseLetter,
  readDeadLetter,
} from '../orchestrator/dead-letters.ts';
import { handleOrderEvent } from '../orchestrator/orders.ts';
import { handlePaymentEvent } from '../orchestrator/payment-results.ts';
import { messageOf } from '../orchestrator/replay-dead-letter.ts';
import { noteProduct } from '../order-service/catalog.ts';
import { noteStep } from '../order-service/steps.ts';
import { addCatalog, testService } from '../order-service/test/support.ts';
import { noteDeadLetter } from '../order-service/trouble.ts';
import { bookManual } from '../payment-service/manual.ts';
import { createWorld, eventSecret, type World } from '../payment-service/test/world.ts';
import { createHealth } from '../runtime/health.ts';
import { createLogger } from '../runtime/logger.ts';
import { type ConsumerOptions, handleMessage } from '../runtime/message.ts';
import { createMetrics } from '../runtime/metrics.ts';
import { sign } from '../runtime/signature.ts';
import { hostileBytes, likeSchema } from './support/hostile.ts';
import { propertySettings, propertyTimeoutMs } from './support/property.ts';
import { rowCounts } from './support/row-counts.ts';

type Orchestrator = Parameters<typeof handleOrderEvent>[0];
type Reader = { topic: string; schema: z.ZodType; handle: ConsumerOptions<z.ZodType>['handle'] };

let world: World;
let readers: Record<string, Reader>;
let ids: string[];
let stopEvents: () => Promise<unknown>;

beforeAll(async () => {
  world = await createWorld();
  const orders = await testService(world.database);
  stopEvents = () => orders.orderEvents.stop();
  await addCatalog(orders.db);
  const orderId = '019a0000-0000-7000-8000-000000000001';
  await world.database.admin.query(`insert into orders.customer (id, name) values ('1', '1')`);
  await world.database.admin.query(
    `insert into orders.purchase (id, customer_id, items, total_price, currency) values ($1, '1', '[]', 20000, 'GBP')`,
    [orderId],
  );
  await world.request(orderId, 'tok_never');
  ids = [orderId, (await world.payment(orderId)).id, '1'];
  const { logger } = world.parts;
  const orchestrator = orchestratorParts();
  const reads = <S extends z.ZodType>(topic: string, schema: S, handle: ConsumerOptions<S>['handle']): Reader => ({
    topic,
    schema,
    handle: (event, meta) => handle(schema.parse(event), meta),
  });
  readers = {
    'order-service, order-steps': reads('order-steps', orderStepsEvent, (event) => noteStep(orders.db, event)),
    'order-service, catalog': reads('catalog', catalogEvent, (event) => noteProduct(orders.db, event)),
    'order-service, dead-letters': {
      topic: 'dead-letters',
      schema: z.unknown(),
      handle: (letter) => noteDeadLetter(orders.db, letter, logger),
    },
    'payment-service, payment-event': reads('payment-event', paymentEvent, (event, meta) =>
      bookManual(world.parts, 'local', event, meta),
    ),
    'orchestrator, created-orders': reads('created-orders', createdOrdersEvent, (event) =>
      handleOrderEvent(orchestrator, event),
    ),
    'orchestrator, payment-event': reads('payment-event', paymentEvent, (event, meta) =>
      handlePaymentEvent(orchestrator, event, meta),
    ),
  };
}, 60_000);
afterAll(async () => {
  await stopEvents();
  await world.stop();
});

/** The orchestrator with a database of its own and an engine that takes whatever it is given. */
function orchestratorParts(): Orchestrator {
  const engine = {
    startProcess: async () => ({ processInstanceKey: '1', version: 1 }),
    publishMessage: async () => undefined,
  };
  const settings = {
    AUTH_MODE: 'local',
    PAYMENT_DEADLINE: 'PT15M',
    HOLD_GRACE: 'PT5M',
    ORDER_MAX_AGE: 'P1D',
    REINSTATE_WITHIN: 'PT1H',
    PAYMENT_EVENT_SECRET: eventSecret,
  };
  const db = world.database.db('orchestration');
  return { db, engine, settings, services: {}, logger: world.parts.logger } as unknown as Orchestrator;
}

const logger = createLogger('test', 'error');
logger.silent = true;
const metrics = createMetrics('messages');

/** A consumer's part that handles messages, without Kafka. */
function consumerOf<S extends z.ZodType>(
  reader: Pick<ConsumerOptions<S>, 'schema' | 'handle' | 'service'> & Partial<ConsumerOptions<S>>,
  onLetter: (value: string) => void,
): ConsumerOptions<S> {
  const send = async (records: { value: string }[]) => records.forEach(({ value }) => onLetter(value));
  const producer = { send, stop: async () => undefined };
  const health = createHealth().part('test');
  return { ...reader, producer, health, logger, metrics } as unknown as ConsumerOptions<S>;
}

test.each([
  'order-service, order-steps',
  'order-service, catalog',
  'order-service, dead-letters',
  'payment-service, payment-event',
  'orchestrator, created-orders',
  'orchestrator, payment-event',
])(
  '%s: whatever comes is handled or kept as a dead letter, at the first try, and a dead letter has no effect',
  async (name) => {
    const reader = readers[name];
    if (!reader) throw new Error(`no reader ${name}`);
    const schema = name.includes('dead-letters') ? deadLetter : reader.schema;
    const shape = z.toJSONSchema(schema, { io: 'input', unrepresentable: 'any' });
    const like = likeSchema(shape, () => shape, ids);
    const message = fc.record({ value: fc.option(hostileBytes(like), { freq: 20 }), isSigned: fc.boolean() });
    const property = fc.asyncProperty(message, async ({ value, isSigned }) => {
      const before = await rowCounts(world.database);
      const letters: string[] = [];
      const options = consumerOf({ ...reader, service: name.split(',')[0] ?? '' }, (value) => letters.push(value));
      const headers = isSigned && value ? { signature: Buffer.from(sign(eventSecret, value)) } : {};
      const record = { key: Buffer.from(ids[0] ?? ''), value, headers, offset: '7', timestamp: '0', attributes: 0 };
      await handleMessage(options, { topic: reader.topic, partition: 0 }, record, 1);
      for (const letter of letters) expect(deadLetter.safeParse(JSON.parse(letter))).toMatchObject({ success: true });
      if (letters.length > 0) expect(await rowCounts(world.database)).toEqual(before);
    });
    await fc.assert(property, propertySettings(30));
  },
  propertyTimeoutMs,
);

test(
  'orchestrator, dead-letters: whatever comes is listed once, byte for byte, and can be shown',
  async () => {
    const db = world.database.db('orchestration');
    const shape = z.toJSONSchema(deadLetter, { io: 'input', unrepresentable: 'any' });
    const values = fc.option(hostileBytes(likeSchema(shape, () => shape, ids)), { freq: 20 });
    const seen = new Set<string>();
    let offset = 0;
    const options = consumerOf(
      {
        service: 'orchestrator',
        schema: deadLetter,
        handle: (letter, { rawValue }) => keepDeadLetter(db, letter, rawValue),
        unreadable: (meta) => keepForeign(db, meta),
      },
      (letter) => {
        throw new Error(`A letter about a letter: ${letter}`);
      },
    );
    const property = fc.asyncProperty(values, async (value) => {
      offset += 1;
      const record = { key: null, value, headers: {}, offset: String(offset), timestamp: '0', attributes: 0 };
      const before = (await listDeadLetters(db, { limit: 1 })).items[0]?.id;
      for (let times = 1; times <= 2; times += 1)
        await handleMessage(options, { topic: 'dead-letters', partition: 0 }, record, times);

      const bytes = value ?? Buffer.alloc(0);
      const key = parseLetter(bytes)?.idempotencyKey;
      const [newest, next] = (await listDeadLetters(db, { limit: 2 })).items;
      if (key !== undefined && seen.has(key)) return expect(newest?.id).toBe(before);
      if (key !== undefined) seen.add(key);
      expect([next?.id, newest?.code === 'NO_DEAD_LETTER']).toEqual([before, key === undefined]);
      const { raw } = await readDeadLetter(db, newest?.id ?? '');
      expect(raw).toEqual(bytes);
      expect(messageOf(parseLetter(raw))).toBeTruthy();
    });
    await fc.assert(property, propertySettings(60));
  },
  propertyTimeoutMs,
);
