/** A shop whose books are filled in by SQL: the services' real apps over HTTP on a real database; no Kafka, no engine. */
import { createHealth } from '../../runtime/health.ts';
import { closeServer, listen } from '../../runtime/http.ts';
import { createAuthenticate } from '../../runtime/identity.ts';
import { createLogger } from '../../runtime/logger.ts';
import { createMetrics } from '../../runtime/metrics.ts';
import { createInventoryApp } from '../../inventory-service/app.ts';
import { createOrderApp } from '../../order-service/app.ts';
import { readDiagram } from '../../order-service/diagram.ts';
import { createPaymentApp } from '../../payment-service/app.ts';
import { createProvider } from '../../payment-service/provider.ts';
import { createProviderApp } from '../../provider-simulator/app.ts';
import { testDatabase, type TestDatabase } from '../../test/support/postgres.ts';

export const apiKey = 'test-api-key';
const settings = {
  AUTH_MODE: 'local',
  BIND_ADDRESS: '127.0.0.1',
  OPERATOR_USER: 'techlead',
  OPERATOR_PASSWORD: 'zup@123',
  JWT_ALGORITHM: 'RS256',
} as const;

export type FilledShop = Awaited<ReturnType<typeof openFilledShop>>;

export async function openFilledShop() {
  const database = await testDatabase();
  const logger = createLogger('test', 'error');
  const authenticate = createAuthenticate(settings);
  const app = (service: string) => ({
    version: 'test',
    logger,
    health: createHealth(),
    service,
    metrics: createMetrics(service),
  });

  const provider = await listen(
    createProviderApp(app('provider'), {
      db: database.db('provider'),
      approvalLimit: 1,
      wake: () => undefined,
      apiKey,
    }),
    0,
    '127.0.0.1',
  );
  const at = ({ port }: { port: number }) => `http://127.0.0.1:${port}`;
  const callbackUrl = 'http://127.0.0.1:9/nobody';
  const parts = {
    db: database.db('payments'),
    eventSecret: 'test-event-secret',
    webhookSecret: 'test-webhook-secret',
    logger,
    authenticate,
    provider: createProvider({ url: at(provider), apiKey, timeoutMs: 5_000, callbackUrl }),
  };
  const payment = await listen(createPaymentApp(app('payment-service'), parts), 0, '127.0.0.1');
  const inventoryDb = database.db('inventory');
  const inventory = await listen(createInventoryApp(app('inventory'), inventoryDb, authenticate), 0, '127.0.0.1');
  const order = await listen(
    createOrderApp(app('order-service'), authenticate, {
      db: database.db('orders'),
      diagram: await readDiagram(),
      askInventory: async () => undefined,
      orderEvents: { stream: () => undefined, stop: async () => undefined },
      logger,
      idempotencyKeepMs: 1_000,
      settings: { AUTH_MODE: 'local', PAYMENT_DEADLINE: 'PT15M' },
    }),
    0,
    '127.0.0.1',
  );
  const urls = {
    ORDER_URL: at(order),
    INVENTORY_URL: at(inventory),
    PAYMENT_URL: at(payment),
    PROVIDER_URL: at(provider),
  };
  return {
    database,
    settings: { ...settings, ...urls, PROVIDER_API_KEY: apiKey },
    logger,
    async close() {
      await Promise.all([provider, payment, inventory, order].map(({ server }) => closeServer(server)));
      await database.drop();
    },
  };
}

/** How the orders of the shop ended: of each hundred, by place. */
export const classes = { confirmed: 0, declined: 60, cancelled: 70, rejected: 80, refunded: 90, onTheWay: 99 } as const;

/** The `nth` order of a class, as the number that its ids are made from. */
export const numberOf = (of: keyof typeof classes, nth: number) => 100 * nth + classes[of];
const hex = (n: number, digits: number) => n.toString(16).padStart(digits, '0');
export const orderIdOf = (n: number) => `0190${hex(n, 8).slice(0, 4)}-${hex(n, 8).slice(4)}-7000-8000-${hex(n, 12)}`;

/** The engine's key of the process of an order; the double of the engine finds those alive that begin with 1. */
export const aliveKey = (n: number) => `1${n}`;
export const goneKey = (n: number) => `9${n}`;

/** Ids made from a number: the orders' grow with it, as those of version 7 do; the payments' are strewn. */
const functions = `
  create function public.order_id(n bigint) returns uuid immutable language sql as $$
    select ('0190' || substr(lpad(to_hex(n), 8, '0'), 1, 4) || '-' || substr(lpad(to_hex(n), 8, '0'), 5)
      || '-7000-8000-' || lpad(to_hex(n), 12, '0'))::uuid $$;
  create function public.payment_id(n bigint) returns uuid immutable language sql as $$
    select (substr(m, 1, 8) || '-' || substr(m, 9, 4) || '-5' || substr(m, 14, 3) || '-8' || substr(m, 18, 3) || '-' || substr(m, 21))::uuid
    from md5('payment ' || n) as m $$;
`;

/** Orders that ended an hour ago in every way, and one in a hundred that is on the way. All is well with them. */
export async function fillIn({ admin }: TestDatabase, orders: number): Promise<void> {
  const client = await admin.connect();
  try {
    await client.query(functions);
    await client.query('set session_replication_role = replica'); // no triggers: nobody listens, and the past stays past
    const series = `from generate_series(0, ${orders - 1}) as n, lateral (select n % 100 as place) as p`;
    const past = `now() - interval '1 hour'`;
    const product = `case n % 3 when 0 then 'a' when 1 then 'b' else 'c' end`;
    for (const statement of [
      `insert into inventory.product (id, name, price, capacity, available) select id, id, 1000, 0, 0 from unnest(array['a', 'b', 'c']) as id`,
      `insert into orders.purchase (id, customer_id, items, total_price, currency, status, created_at, updated_at)
       select order_id(n), '1', jsonb_build_array(jsonb_build_object('productId', ${product}, 'name', 'x', 'quantity', 1 + n % 3, 'unitPrice', 1000)),
         1000 * (1 + n % 3), 'GBP', case when place < 60 then 'CONFIRMED' when place < 70 then 'PAYMENT_NOT_COMPLETED'
           when place < 80 then 'CANCELLED' when place < 90 then 'REJECTED' when place < 99 then 'REFUNDED' else 'AWAITING_PAYMENT' end,
         ${past}, ${past} ${series}`,
      `insert into orders.ticket (code, order_id, product_id, unit)
       select n || '-' || unit, order_id(n), ${product}, unit ${series}, generate_series(1, 1 + n % 3) as unit where place < 60`,
      `insert into inventory.reservation (id, order_id, owner, state, reject_code, reject_message, total, pay_by, hold_until, released_at, created_at, updated_at)
       select order_id(n)::text, order_id(n), '1' || n, case when place < 60 then 'CONFIRMED' when place < 75 then 'RELEASED'
           when place < 80 then 'EXPIRED' when place < 90 then 'REJECTED' when place < 99 then 'RELEASED' else 'HELD' end,
         case when place between 80 and 89 then 'SOLD_OUT' end, case when place between 80 and 89 then 'gone' end,
         1000, now(), now() + interval '1 hour', case when place between 60 and 98 then now() end, ${past}, ${past} ${series}`,
      `insert into inventory.reservation_line (reservation_id, product_id, quantity, unit_price)
       select order_id(n)::text, ${product}, 1 + n % 3, 1000 ${series} where place < 80 or place >= 90`,
      `insert into payments.payment (id, order_id, amount, state, accepted_at, created_at, updated_at)
       select payment_id(n), order_id(n), 1000 * (1 + n % 3), case when place < 60 then 'APPROVED' when place < 70 then 'DECLINED'
           when place < 80 then 'VOIDED' when place < 99 then 'REFUNDED' else 'REQUESTED' end, ${past}, ${past}, ${past}
       ${series} where place < 80 or place >= 90`,
      `insert into provider.payment (id, reference, amount, currency, status, approved_amount, refunded_amount, created_at, updated_at)
       select gen_random_uuid(), payment_id(n)::text, 1000 * (1 + n % 3), 'GBP', case when place < 60 then 'APPROVED' when place < 70 then 'DECLINED'
           when place < 80 then 'VOIDED' when place < 99 then 'REFUNDED' else 'PENDING' end,
         case when place < 60 or place between 90 and 98 then 1000 * (1 + n % 3) end,
         case when place between 90 and 98 then 1000 * (1 + n % 3) else 0 end, ${past}, ${past}
       ${series} where place < 80 or place >= 90`,
      // Processes that have ended are gone, as in the engine.
      `insert into orchestration.started_process (order_id, process_instance_key, process_version, started_at)
       select order_id(n), case when place = 99 then '1' else '9' end || n, 1, ${past} ${series}`,
      `update inventory.reservation set owner = '9' || substr(owner, 2) where state <> 'HELD'`,
    ])
      await client.query(statement);
    for (const table of [
      'orders.purchase',
      'orders.ticket',
      'inventory.reservation',
      'inventory.reservation_line',
      'payments.payment',
      'provider.payment',
    ])
      await client.query(`analyze ${table}`);
  } finally {
    client.release(true);
  }
}

/** Runs statements without triggers, then makes the stock what the reservations say. */
export async function changeBooks({ admin }: TestDatabase, statements: string[]): Promise<void> {
  const client = await admin.connect();
  try {
    await client.query('set session_replication_role = replica');
    for (const statement of statements) await client.query(statement);
    await client.query(`
      update inventory.product p set held = s.held, sold = s.sold, available = 10, capacity = 10 + s.held + s.sold
      from (select l.product_id, coalesce(sum(l.quantity) filter (where r.state = 'HELD'), 0) as held,
          coalesce(sum(l.quantity) filter (where r.state = 'CONFIRMED'), 0) as sold
        from inventory.reservation r join inventory.reservation_line l on l.reservation_id = r.id group by l.product_id) s
      where s.product_id = p.id`);
  } finally {
    client.release(true);
  }
}
