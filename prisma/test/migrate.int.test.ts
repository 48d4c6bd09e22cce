import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import pg from 'pg';
import { serviceSchemas } from '../../runtime/database-url.ts';
import { testDatabase, type TestDatabase } from '../../test/support/postgres.ts';
import { migrate } from '../migrate.ts';
import { seed } from '../seed.ts';

let database: TestDatabase;
const superuser = () => {
  const url = new URL(process.env['TEST_POSTGRES_URL'] ?? '');
  url.pathname = `/${database.name}`;
  return url.href;
};

beforeAll(async () => {
  database = await testDatabase();
});
afterAll(() => database.drop());

/** SQLSTATE of a query as a service's role; undefined when it is allowed. */
async function refusal(role: (typeof serviceSchemas)[number], query: string): Promise<string | undefined> {
  const client = new pg.Client({ connectionString: database.url(role) });
  await client.connect();
  try {
    await client.query(query);
    return undefined;
  } catch (error) {
    return error instanceof pg.DatabaseError ? error.code : String(error);
  } finally {
    await client.end();
  }
}

const insufficientPrivilege = '42501';
const tables = {
  orders: 'purchase',
  inventory: 'product',
  payments: 'payment',
  orchestration: 'inbox',
  provider: 'payment',
};

describe('A service’s role', () => {
  it.each(serviceSchemas)('%s reads its own schema by plain table names, and none of the others', async (role) => {
    expect(await refusal(role, `select * from ${tables[role]}`)).toBeUndefined();
    for (const other of serviceSchemas.filter((schema) => schema !== role)) {
      expect(await refusal(role, `select * from ${other}.${tables[other]}`)).toBe(insufficientPrivilege);
    }
  });

  it.each(serviceSchemas)('%s cannot change the shape of the database', async (role) => {
    expect(await refusal(role, `create table ${role}.mine (id int)`)).toBe(insufficientPrivilege);
    expect(await refusal(role, `drop table ${role}.${tables[role]}`)).toBe(insufficientPrivilege);
  });
});

describe('A migration', () => {
  it('that has run does not run again', async () => {
    expect(await migrate(superuser())).toEqual([]);
  });

  it('that was changed after it ran is refused by name', async () => {
    await database.admin.query(
      `update public._prisma_migrations set checksum = 'other' where migration_name = '0002_orders'`,
    );
    await expect(migrate(superuser())).rejects.toThrow(/0002_orders has run in another version/);
  });
});

describe('The seed', () => {
  it('adds products and customers once, and announces each product once', async () => {
    await seed(superuser());
    await database.admin.query('update inventory.product set available = available - 1, sold = 1 where id = $1', ['1']);
    await seed(superuser());
    const { rows } = await database.admin.query(
      `select (select count(*)::int from inventory.product) as products, (select sold from inventory.product where id = '1') as sold,
         (select count(*)::int from inventory.outbox) as announced, (select count(*)::int from orders.customer) as customers`,
    );
    expect(rows).toEqual([{ products: 6, sold: 1, announced: 6, customers: 2 }]);
  });
});
