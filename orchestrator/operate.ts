/** What the orchestrator asks Camunda Operate (v1 API, particular to engine 8.6), where nobody else can name it. */
import { PassingFault } from '@ticket-saga/runtime/errors';
import { createOperateApi, type OperateSettings } from '@ticket-saga/runtime/operate';
import { z } from 'zod';

export type IncidentKeys = { incidentKey: string; jobKey: string | null };

export type Operate = {
  /** The open incident of an element; undefined when there is none. Throws PassingFault while Operate is away. */
  incidentAt(processInstanceKey: string, elementId: string): Promise<IncidentKeys | undefined>;
  /** The version that an instance runs on; null where Operate does not know it, or is away. */
  versionOf(processInstanceKey: string): Promise<number | null>;
};

const key = z.string();
const incidents = z.object({ items: z.array(z.object({ key, jobKey: key.nullish() })) });
const instances = z.object({ items: z.array(z.object({ processVersion: z.int() })) });
const flowNodes = z.object({ items: z.array(z.object({ flowNodeId: z.string(), incidentKey: key.nullish() })) });

export function createOperate(settings: OperateSettings): Operate {
  const { search } = createOperateApi(settings);
  async function incidentAt(processInstanceKey: string, elementId: string): Promise<IncidentKeys | undefined> {
    const where = (more: string) => `{"filter":{"processInstanceKey":${BigInt(processInstanceKey)},${more}},"size":50}`;
    const { items } = await search('/v1/flownode-instances/search', where('"incident":true'), flowNodes);
    const incidentKey = items.find((node) => node.flowNodeId === elementId && node.incidentKey)?.incidentKey;
    const open = await search('/v1/incidents/search', where('"state":"ACTIVE"'), incidents);
    const incident = open.items.find((one) => one.key === incidentKey);
    return incident && { incidentKey: incident.key, jobKey: incident.jobKey ?? null };
  }
  return {
    versionOf: (processInstanceKey) =>
      search(
        '/v1/process-instances/search',
        `{"filter":{"key":${BigInt(processInstanceKey)}},"size":1}`,
        instances,
      ).then(
        ({ items }) => items[0]?.processVersion ?? null,
        () => null,
      ),
    incidentAt: (processInstanceKey, elementId) =>
      incidentAt(processInstanceKey, elementId).catch((error: unknown) => {
        throw new PassingFault('OPERATE_UNAVAILABLE', 'Operate, which knows the incident, does not answer.', error);
      }),
  };
}
