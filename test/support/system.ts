/** The running system under test (see flow-setup): the shop as its users see it, and the parts that can be stopped. */
import pg from 'pg';
import { openShop, shopUrls } from '../../tools/shop.ts';

export const shop = openShop(shopUrls());

/** Stops, kills or starts a part of the platform: `camunda`, `kafka`, `postgres`, a service. */
export async function part(name: string, action: 'stop' | 'start' | 'kill'): Promise<void> {
  const response = await fetch(`${process.env['FLOW_CONTROL']}/${name}/${action}`);
  if (!response.ok) throw new Error(`${action} ${name}: ${await response.text()}`);
}

/** Behind the scenes, as PostgreSQL's superuser: only to check invariants, never to steer. */
export async function query<Row extends pg.QueryResultRow>(text: string, values: unknown[] = []): Promise<Row[]> {
  const client = new pg.Client({
    host: process.env['DATABASE_HOST'] ?? '127.0.0.1',
    port: Number(process.env['POSTGRES_PORT']),
    user: 'postgres',
    password: 'postgres',
    database: process.env['DATABASE_NAME'] ?? 'tickets',
  });
  await client.connect();
  try {
    return (await client.query<Row>(text, values)).rows;
  } finally {
    await client.end();
  }
}

/** Lines of stock that break the sum of ARCHITECTURE 5; must be empty at any time. */
export const brokenStock = () =>
  query('select * from inventory.product where available < 0 or available + held + sold <> capacity');
