/** Makes every statement on a table wait, as long as `work` takes: how a part of a service is brought to a standstill. */
import type pg from 'pg';

export async function whileLocked<T>(admin: pg.Pool, table: string, work: () => Promise<T>): Promise<T> {
  const client = await admin.connect();
  try {
    await client.query(`begin; lock table ${table} in access exclusive mode`);
    return await work();
  } finally {
    await client.query('rollback');
    client.release();
  }
}
