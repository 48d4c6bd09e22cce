/** What hangs, as operators see it: order-service knows the steps, the version is that of the process as it was started. */
import { stuckPage, type StuckStep, stuckStep } from '@ticket-saga/contract/operations';
import { z } from 'zod';
import { versionsOf } from './further-processes.ts';
import type { OrchestratorParts } from './parts.ts';

export type StuckFilter = {
  orderId?: string | undefined;
  step?: string | undefined;
  code?: string | undefined;
  /** Only what was stuck at this moment already, ISO 8601. */
  until?: string | undefined;
  cursor?: string | undefined;
  limit: number;
};

export const stuckView = stuckStep
  .extend({
    ageSeconds: z.int(),
    processVersion: z.int().nullable().describe('version of the diagram that the instance runs on'),
    links: z.object({ order: z.url(), operate: z.url().nullable() }),
  })
  .meta({ id: 'StuckStep' });
export type StuckView = z.infer<typeof stuckView>;

/** A page, the oldest first. */
export async function listStuck(
  parts: OrchestratorParts,
  filter: StuckFilter,
): Promise<{ items: StuckView[]; nextCursor: string | null }> {
  const query = new URLSearchParams({ silentAfter: parts.settings.SILENT_AFTER });
  for (const [name, value] of Object.entries(filter)) if (value !== undefined) query.set(name, String(value));
  const { items, nextCursor } = await parts.services.get('order', `/stuck-orders?${query.toString()}`, stuckPage);
  const started = await parts.db.startedProcess.findMany({
    where: { orderId: { in: items.map(({ orderId }) => orderId) } },
  });
  // A silent order may not even have told that it was started; a dead letter hangs before there is an instance.
  const keyOf = ({ kind, orderId, processInstanceKey }: StuckStep) =>
    processInstanceKey ??
    (kind === 'SILENT' ? started.find((process) => process.orderId === orderId)?.processInstanceKey : undefined) ??
    null;
  const versions = await versionsOf(
    parts.db,
    items.flatMap((item) => keyOf(item) ?? []),
  );
  const view = items.map(async (item): Promise<StuckView> => {
    const processInstanceKey = keyOf(item);
    return {
      ...item,
      ageSeconds: Math.max(0, Math.round((Date.now() - Date.parse(item.since)) / 1_000)),
      processInstanceKey,
      processVersion:
        processInstanceKey === null
          ? null
          : (versions.get(processInstanceKey) ?? (await parts.operate.versionOf(processInstanceKey))),
      links: linksOf(parts, item.orderId, processInstanceKey),
    };
  });
  return { items: await Promise.all(view), nextCursor };
}

/** Where a person looks at it further. */
export function linksOf({ settings }: Pick<OrchestratorParts, 'settings'>, orderId: string, instance: string | null) {
  return {
    order: new URL(`/orders/${orderId}`, settings.ORDER_URL).href,
    operate: instance === null ? null : new URL(`/operate/processes/${instance}`, settings.OPERATE_URL).href,
  };
}
