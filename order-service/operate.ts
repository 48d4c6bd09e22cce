/** What Camunda Operate (v1 API, particular to engine 8.6) says of incidents. */
import { createOperateApi, type OperateSettings } from '@ticket-saga/runtime/operate';
import { z } from 'zod';

export type Incident = {
  key: string;
  processInstanceKey: string;
  /** The box of the diagram that it hangs at. */
  elementId: string;
  elementInstanceKey: string;
  message: string;
  /** ISO 8601. */
  at: string;
};

/** How many are looked at, the newest first. */
const mostIncidents = 200;

const key = z.string();
const incidents = z.object({
  items: z.array(z.object({ key, processInstanceKey: key, message: z.string().nullish(), creationTime: z.string() })),
});
const flowNodes = z.object({ items: z.array(z.object({ key, flowNodeId: z.string(), incidentKey: key.nullish() })) });

export type Operate = {
  /** Incidents that are open now, without those in `known`. Rejects while Operate is away. */
  openIncidents(known: ReadonlySet<string>): Promise<Incident[]>;
};

export function createOperate(settings: OperateSettings): Operate {
  const { search } = createOperateApi(settings);
  return {
    async openIncidents(known) {
      const sort = [{ field: 'creationTime', order: 'DESC' }];
      const query = JSON.stringify({ filter: { state: 'ACTIVE' }, size: mostIncidents, sort });
      const open = (await search('/v1/incidents/search', query, incidents)).items.filter((one) => !known.has(one.key));
      const found: Incident[] = [];
      for (const { key: incidentKey, processInstanceKey, message, creationTime } of open) {
        const at = new Date(creationTime).toISOString();
        // An incident does not say where it is; the flow nodes of its instance do.
        const where = `{"filter":{"processInstanceKey":${processInstanceKey},"incident":true},"size":50}`;
        const { items } = await search('/v1/flownode-instances/search', where, flowNodes);
        const node = items.find((one) => one.incidentKey === incidentKey);
        if (node) {
          found.push({
            key: incidentKey,
            processInstanceKey,
            elementId: node.flowNodeId,
            elementInstanceKey: node.key,
            message: message ?? 'An incident in the engine.',
            at,
          });
        }
      }
      return found;
    },
  };
}
