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
    const shaping = [
      `create table ${role}.mine (id int)`,
      `drop table ${role}.${tables[role]}`,
      `alter table ${role}.${tables[role]} add column mine int`,
      `truncate ${role}.${tables[role]}`,
      'create table public.mine (id int)',
      'create schema mine',
      `create role mine login`,
      'select * from public._prisma_migrations',
    ];
    for (const query of shaping) expect([query, await refusal(role, query)]).toEqual([query, insufficientPrivilege]);
  });

  it('has no right of any kind on anything of another schema, whatever table a migration adds', async () => {
    const { rows } = await database.admin.query(
      `with role as (select unnest($1::text[]) as name),
       foreign_schema as (
         select role.name as role, n.oid, n.nspname from role, pg_namespace n
         where n.nspname <> role.name and not starts_with(n.nspname, 'pg_') and n.nspname <> 'information_schema'
       ),
       rights as (
         select role, nspname as thing from foreign_schema
         where has_schema_privilege(role, oid, 'create') or (has_schema_privilege(role, oid, 'usage'))
         union all
         select role, nspname || '.' || relname from foreign_schema f join pg_class c on c.relnamespace = f.oid
         where c.relkind in ('r', 'p', 'v', 'm') and has_table_privilege(role, c.oid,
           'select, insert, update, delete, truncate, references, trigger')
         union all
         select role, nspname || '.' || relname from foreign_schema f join pg_class c on c.relnamespace = f.oid
         where c.relkind = 'S' and has_sequence_privilege(role, c.oid, 'usage, select, update')
       )
       select * from rights`,
      [serviceSchemas],
    );
    expect(rows).toEqual([]);
  });

  it('is no superuser, owns nothing, is in no other role, and makes no role or database', async () => {
    const { rows } = await database.admin.query(
      `select rolname from pg_roles r where rolname = any($1::text[]) and (rolsuper or rolcreaterole or rolcreatedb
         or rolbypassrls or rolreplication or exists (select from pg_auth_members where member = r.oid)
         or exists (select from pg_class where relowner = r.oid))`,
      [serviceSchemas],
    );
    expect(rows).toEqual([]);
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
