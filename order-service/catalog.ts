/** This service's copy of the catalogue: names and prices, fed by the topic `catalog`. */
import type { CatalogEvent } from '@ticket-saga/contract/topics';
import type { Db } from '@ticket-saga/runtime/database';
import { errorFields, type Logger } from '@ticket-saga/runtime/logger';
import { Problem } from '@ticket-saga/runtime/problem';
import { z } from 'zod';

/** `price` in minor units. */
export type CatalogProduct = { id: string; name: string; price: number };

/** Asks inventory-service for a product; undefined when it is not sold. Throws 503 when there is no answer. */
export type AskInventory = (id: string) => Promise<CatalogProduct | undefined>;

/** The newer version wins, whatever order the events come in. */
export async function noteProduct(db: Db, event: CatalogEvent): Promise<void> {
  await db.$executeRaw`
    insert into catalog_product as copy (id, name, price, version)
    values (${event.productId}, ${event.name}, ${event.price}, ${event.version})
    on conflict (id) do update set name = excluded.name, price = excluded.price, version = excluded.version, updated_at = now()
    where copy.version < excluded.version`;
}

/** The products that exist, by id. What the copy does not know is asked for once and kept. */
export async function findProducts(db: Db, ask: AskInventory, ids: string[]): Promise<Map<string, CatalogProduct>> {
  const rows = await db.$queryRaw<CatalogProduct[]>`
    select id, name, price from catalog_product where id = any(${ids})`;
  const known = new Map(rows.map((row) => [row.id, row]));
  for (const id of ids.filter((one) => !known.has(one))) {
    const product = await ask(id);
    if (!product) continue;
    known.set(id, product);
    // Version 0: whatever the topic says is newer.
    await db.$executeRaw`
      insert into catalog_product (id, name, price, version) values (${product.id}, ${product.name}, ${product.price}, 0)
      on conflict (id) do nothing`;
  }
  return known;
}

const inventoryProduct = z.object({ id: z.string(), name: z.string(), price: z.number().min(0).max(20_000_000) });

/** @param timeoutMs how long a customer waits for it at the most */
export function createAskInventory(inventoryUrl: string, logger: Logger, timeoutMs = 3_000): AskInventory {
  const away = (why: unknown) => {
    logger.warn('inventory-service does not answer', errorFields(why));
    return new Problem(
      'DEPENDENCY_UNAVAILABLE',
      'The catalogue cannot be asked now. Try again in a moment.',
      undefined,
      {
        'Retry-After': '2',
      },
    );
  };
  return async (id) => {
    const url = new URL(
      `products/${encodeURIComponent(id)}`,
      inventoryUrl.endsWith('/') ? inventoryUrl : `${inventoryUrl}/`,
    );
    const response = await fetch(url, { signal: AbortSignal.timeout(timeoutMs) }).catch((error: unknown) => {
      throw away(error);
    });
    if (response.status === 404) return undefined;
    const body: unknown = response.ok ? await response.json().catch(() => undefined) : undefined;
    const product = inventoryProduct.safeParse(body);
    if (!product.success) throw away(new Error(`GET ${url.pathname} answers ${response.status}`));
    return { id, name: product.data.name, price: Math.round(product.data.price * 100) };
  };
}
