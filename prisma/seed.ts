/** The rows a new shop starts with (PRODUCT 2). Safe to run again: what is there stays as it is. */
import pg from 'pg';

const products = [
  { id: '3852cb18-9c19-4326-ac77-a1a0264bd98c', name: 'day-one', price: 200_00, stock: 1000 },
  { id: '1', name: 'standard', price: 199_00, stock: 1000 },
  { id: 'balcony', name: 'balcony', price: 85_50, stock: 40 },
  { id: 'front-row', name: 'front row', price: 349_00, stock: 10 },
  { id: 'meet-and-greet', name: 'meet and greet', price: 1250_00, stock: 3 },
  { id: 'last-seat', name: 'last seat', price: 99_00, stock: 1 },
];
const customers = [
  { id: 'e081ad0f-f83e-4f81-b2d7-23655ac04b8a', name: 'Ada Lovelace' },
  { id: '1', name: 'Customer One' },
];

export async function seed(url: string): Promise<void> {
  const client = new pg.Client({ connectionString: url });
  await client.connect();
  try {
    await client.query(
      // A new product is announced on `catalog` in the same statement; the relay sends it once inventory-service runs.
      `with new as (
         insert into inventory.product (id, name, price, capacity, available)
         select id, name, price, stock, stock from jsonb_to_recordset($1::jsonb) as p(id text, name text, price int, stock int)
         on conflict (id) do nothing returning id, name, price, version
       )
       insert into inventory.outbox (idempotency_key, topic, key, value)
       select 'catalog:' || id || ':' || version, 'catalog', id, json_build_object(
         'idempotencyKey', 'catalog:' || id || ':' || version, 'type', 'PRODUCT_CHANGED',
         'occurredAt', to_char(now() at time zone 'utc', 'YYYY-MM-DD"T"HH24:MI:SS.MS"Z"'),
         'productId', id, 'name', name, 'price', price, 'version', version)::text
       from new`,
      [JSON.stringify(products)],
    );
    await client.query(
      `insert into orders.customer (id, name)
       select id, name from jsonb_to_recordset($1::jsonb) as c(id text, name text) on conflict (id) do nothing`,
      [JSON.stringify(customers)],
    );
  } finally {
    await client.end();
  }
}
