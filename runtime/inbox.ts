/** The inbox: which events a consumer is done with. Only DONE counts as seen. */
import type { Tx } from './database.ts';

/** True when `consumer` has handled the event already. */
export async function isDone(tx: Tx, consumer: string, idempotencyKey: string): Promise<boolean> {
  const rows = await tx.$queryRaw<unknown[]>`
    select 1 from inbox where consumer = ${consumer} and idempotency_key = ${idempotencyKey}`;
  return rows.length > 0;
}

/** Marks the event as handled; call it in the transaction of the effect, or right after it. */
export async function markDone(tx: Tx, consumer: string, idempotencyKey: string): Promise<void> {
  await tx.$executeRaw`
    insert into inbox (consumer, idempotency_key) values (${consumer}, ${idempotencyKey}) on conflict do nothing`;
}
