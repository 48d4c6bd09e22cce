/** Processes of an order besides its first: while one lives, the reconciliation leaves the order to it. */
import type { Tx } from '@ticket-saga/runtime/database';

export async function noteProcess(
  tx: Tx,
  orderId: string,
  processInstanceKey: string,
  version: number | null = null,
): Promise<void> {
  await tx.$executeRaw`
    insert into further_process (process_instance_key, order_id, process_version)
    values (${processInstanceKey}, ${orderId}::uuid, ${version}::int)
    on conflict do nothing`;
}

/** The keys of all processes that were ever started for the order, as far as they are known here. */
export async function processesOf(tx: Tx, orderId: string): Promise<string[]> {
  const rows = await tx.$queryRaw<{ key: string }[]>`
    select process_instance_key as key from started_process where order_id = ${orderId}::uuid
    union select process_instance_key from further_process where order_id = ${orderId}::uuid
    union select process_instance_key from refund_order
      where order_id = ${orderId}::uuid and process_instance_key is not null`;
  return rows.map(({ key }) => key);
}

/** The versions that these process instances were started on, by their keys, as far as they are known here. */
export async function versionsOf(tx: Tx, keys: string[]): Promise<Map<string, number>> {
  const rows = await tx.$queryRaw<{ key: string; version: number }[]>`
    select process_instance_key as key, process_version as version from started_process
    where process_instance_key = any(${keys}::text[])
    union select process_instance_key, process_version from further_process
    where process_instance_key = any(${keys}::text[]) and process_version is not null`;
  return new Map(rows.map(({ key, version }) => [key, version]));
}
