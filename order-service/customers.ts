/** Customers: whoever orders is one; they can also be added beforehand. */
import type { Db } from '@ticket-saga/runtime/database';
import { Problem } from '@ticket-saga/runtime/problem';
import { v7 as uuidv7 } from 'uuid';

export type Customer = { id: string; name: string; createdAt: Date };

/** Throws 409 ALREADY_EXISTS. */
export async function addCustomer(
  db: Db,
  { id = uuidv7(), name }: { id?: string | undefined; name: string },
): Promise<Customer> {
  const [added] = await db.$queryRaw<Customer[]>`
    insert into customer (id, name) values (${id}, ${name}) on conflict (id) do nothing
    returning id, name, created_at as "createdAt"`;
  if (!added) throw new Problem('ALREADY_EXISTS', `There is a customer ${id} already.`);
  return added;
}

export async function readCustomer(db: Db, id: string): Promise<Customer | undefined> {
  return (await db.customer.findUnique({ where: { id } })) ?? undefined;
}

/** A page in the order of the ids. `cursor` is the last id of the page before. */
export async function listCustomers(
  db: Db,
  { limit, cursor, onlyOf }: { limit: number; cursor?: string | undefined; onlyOf: string | null },
): Promise<{ items: Customer[]; nextCursor: string | null }> {
  const items = await db.customer.findMany({
    where: { AND: [cursor === undefined ? {} : { id: { gt: cursor } }, onlyOf === null ? {} : { id: onlyOf }] },
    orderBy: { id: 'asc' },
    take: limit + 1,
  });
  const page = items.slice(0, limit);
  return { items: page, nextCursor: items.length > limit ? (page.at(-1)?.id ?? null) : null };
}
