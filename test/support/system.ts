/** The running system under test (see whole-system.mjs): the shop as its users see it, and the parts that can be stopped. */
import pg from 'pg';
import { openShop, shopUrls } from '../../tools/shop.ts';

export const shop = openShop(shopUrls());

export type PartAction = 'stop' | 'start' | 'kill' | 'pause' | 'resume';

/**
 * Acts on a part of the platform: `camunda`, `kafka`, `postgres`, a service, its second process `order-service-2`.
 * `stop` and `start` resolve when it is done and ready; `kill` (SIGKILL) at once, and the part comes back by itself after
 * a pause (0.3 s at level `faults`, else 1, 2, 4 … 30 s); `pause` (SIGSTOP) until `resume`.
 */
export async function part(name: string, action: PartAction): Promise<void> {
  await askControl(name, action);
}

/** The part's process; undefined while there is none. */
export async function pidOf(name: string): Promise<number | undefined> {
  return Number(await askControl(name, 'pid')) || undefined;
}

/** As the platform sees it: its process runs and has answered since its start that it is ready. */
export const isReady = async (name: string): Promise<boolean> => (await askControl(name, 'ready')) === 'true';

async function askControl(name: string, action: string): Promise<string> {
  const response = await fetch(`${process.env['SYSTEM_CONTROL']}/${name}/${action}`);
  const answer = await response.text();
  if (!response.ok) throw new Error(`${action} ${name}: ${answer}`);
  return answer;
}

/** PostgreSQL's superuser. */
export const connection = (): pg.ClientConfig => ({
  host: process.env['DATABASE_HOST'] ?? '127.0.0.1',
  port: Number(process.env['POSTGRES_PORT']),
  user: 'postgres',
  password: 'postgres',
  database: process.env['DATABASE_NAME'] ?? 'tickets',
});

/** Behind the scenes, as PostgreSQL's superuser: only to check invariants, never to steer. */
export async function query<Row extends pg.QueryResultRow>(text: string, values: unknown[] = []): Promise<Row[]> {
  const client = new pg.Client(connection());
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
