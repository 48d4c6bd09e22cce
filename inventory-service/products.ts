/** The catalogue and its stock. Each change of a product is told on `catalog` in the statement that makes it. */
import { topics } from '@ticket-saga/contract/topics';
import { type Db, sql } from '@ticket-saga/runtime/database';
import { Problem } from '@ticket-saga/runtime/problem';
import { unlessDeadlocked } from './decide.ts';

/** Price in minor units; `available + held + sold = capacity`, always. */
export type Product = {
  id: string;
  name: string;
  price: number;
  currency: string;
  capacity: number;
  available: number;
  held: number;
  sold: number;
};
export type NewProduct = { id: string; name: string; price: number; stock: number };
export type ProductChange = { name?: string | undefined; price?: number | undefined; stock?: number | undefined };

const columns = sql.sql`id, name, price, currency, capacity, available, held, sold`;

const shown = {
  id: true,
  name: true,
  price: true,
  currency: true,
  capacity: true,
  available: true,
  held: true,
  sold: true,
} as const;

/** What an id may be: it goes into URLs, keys of events and other services' rows. */
export const productIdPattern = /^[A-Za-z0-9._-]{1,64}$/;

export type ProductPage = { products: Product[]; next: string | undefined };

/** Products in the order of their ids, `limit` of them at the most, those after the id `after`. */
export async function listProducts(db: Db, after: string | undefined, limit: number): Promise<ProductPage> {
  const where = after === undefined ? {} : { id: { gt: after } };
  const found = await db.product.findMany({ where, select: shown, orderBy: { id: 'asc' }, take: limit + 1 });
  const products = found.slice(0, limit);
  return { products, next: found.length > limit ? products.at(-1)?.id : undefined };
}

/** @throws Problem PRODUCT_NOT_FOUND, also for text that is no id */
export async function getProduct(db: Db, id: string): Promise<Product> {
  if (!productIdPattern.test(id)) return notFound(id);
  return (await db.product.findUnique({ where: { id }, select: shown })) ?? notFound(id);
}

/** @throws Problem ALREADY_EXISTS when the id is taken */
export async function createProduct(db: Db, { id, name, price, stock }: NewProduct): Promise<Product> {
  const [product] = await db.$queryRaw<Product[]>`
    with changed as (
      insert into product (id, name, price, capacity, available)
      values (${id}::text, ${name}::text, ${price}::int, ${stock}::int, ${stock}::int)
      on conflict (id) do nothing
      returning *
    ), told as (${tellCatalog})
    select ${columns} from changed`;
  if (!product) throw new Problem('ALREADY_EXISTS', `There is a product "${id}" already.`);
  return product;
}

/**
 * Changes what is named; `stock` is the new capacity. A change that changes nothing tells nothing.
 * @throws Problem PRODUCT_NOT_FOUND, or STOCK_BELOW_SOLD when more tickets than that are held or sold
 */
export async function changeProduct(db: Db, id: string, { name, price, stock }: ProductChange): Promise<Product> {
  if (!productIdPattern.test(id)) return notFound(id);
  // Held and sold are written as locked, see `moveStock`.
  const statement = sql.sql`
    with known as (
      select *, coalesce(${name ?? null}::text, name) as new_name, coalesce(${price ?? null}::int, price) as new_price,
        coalesce(${stock ?? null}::int, capacity) as new_capacity
      from product where id = ${id}::text for update
    ), changed as (
      update product p set name = k.new_name, price = k.new_price, capacity = k.new_capacity,
        available = k.new_capacity - k.held - k.sold, held = k.held, sold = k.sold,
        version = k.version + 1, updated_at = now()
      from known k
      where p.id = k.id and k.new_capacity >= k.held + k.sold
        and (k.new_name, k.new_price, k.new_capacity) is distinct from (k.name, k.price, k.capacity)
      returning p.*
    ), told as (${tellCatalog})
    select ${columns}, false as refused from changed
    union all
    select ${columns}, new_capacity < held + sold from known where not exists (select from changed)`;
  const [outcome] = await unlessDeadlocked(() => db.$queryRaw<(Product & { refused: boolean })[]>(statement));
  if (!outcome) return notFound(id);
  const { refused, ...product } = outcome;
  if (!refused) return product;
  throw new Problem(
    'STOCK_BELOW_SOLD',
    `Of "${product.name}" ${product.held} are held and ${product.sold} are sold: the stock cannot be ${stock}.`,
  );
}

/** Inserts the event for the row of the CTE `changed`; the seed writes the same. */
const tellCatalog = sql.sql`
  insert into outbox (idempotency_key, topic, key, value)
  select 'catalog:' || id || ':' || version, ${topics.catalog}, id, jsonb_build_object(
    'idempotencyKey', 'catalog:' || id || ':' || version, 'type', 'PRODUCT_CHANGED',
    'occurredAt', to_char(now() at time zone 'utc', 'YYYY-MM-DD"T"HH24:MI:SS.MS"Z"'),
    'productId', id, 'name', name, 'price', price, 'version', version)::text
  from changed
  on conflict (idempotency_key) do nothing`;

function notFound(id: string): never {
  throw new Problem('PRODUCT_NOT_FOUND', `There is no product "${id}".`);
}
