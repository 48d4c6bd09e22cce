/**
 * Which instances run, of which version, and where they stand: Operate knows it, some seconds late; the engine (8.6) has no
 * query. Everything that is particular to Operate's v1 API is here.
 */
import { createOperateApi, type OperateSettings } from '@ticket-saga/runtime/operate';
import { z } from 'zod';

export type Deployed = { version: number; processDefinitionKey: string };
/** A running instance, with the ids of the elements where it stands; none when it is between two. */
export type Standing = { key: string; at: string[]; incident: boolean };

const pageSize = 1_000;
const key = z.string();
const definition = z.object({ key, version: z.int() });
const instance = z.object({ key, incident: z.boolean().nullish() });
const flowNode = z.object({ key, processInstanceKey: key, flowNodeId: z.string() });
const variable = z.object({ key, value: z.string() });
const nodesQuery = '/v1/flownode-instances/search';

export function createInstanceSource(settings: OperateSettings) {
  const operate = createOperateApi(settings);

  /** All pages, oldest first. */
  async function all<S extends z.ZodType>(path: string, filter: string, item: S): Promise<z.output<S>[]> {
    const page = z.object({ items: z.array(item), sortValues: z.array(z.unknown()).nullish() });
    const found: z.output<S>[] = [];
    for (let after = ''; ;) {
      const query = `{"filter":${filter},"size":${pageSize},"sort":[{"field":"key","order":"ASC"}]${after}}`;
      const { items, sortValues } = await operate.search(path, query, page);
      found.push(...items);
      if (items.length < pageSize || !sortValues) return found;
      after = `,"searchAfter":${JSON.stringify(sortValues)}`;
    }
  }

  return {
    /** All versions of the process that the engine has, the oldest first. */
    async versions(processId: string): Promise<Deployed[]> {
      const filter = JSON.stringify({ bpmnProcessId: processId });
      const found = await all('/v1/process-definitions/search', filter, definition);
      return found
        .map(({ key: processDefinitionKey, version }) => ({ processDefinitionKey, version }))
        .toSorted((a, b) => a.version - b.version);
    },
    /** The text of the diagram, as it was deployed. */
    diagram: ({ processDefinitionKey }: Deployed) => operate.get(`/v1/process-definitions/${processDefinitionKey}/xml`),
    async running({ processDefinitionKey }: Deployed): Promise<Standing[]> {
      const filter = `{"processDefinitionKey":${processDefinitionKey},"state":"ACTIVE"}`;
      const [instances, nodes] = await Promise.all([
        all('/v1/process-instances/search', filter, instance),
        all(nodesQuery, filter, flowNode),
      ]);
      const at = new Map<string, string[]>();
      for (const { processInstanceKey, flowNodeId } of nodes)
        at.set(processInstanceKey, [...(at.get(processInstanceKey) ?? []), flowNodeId]);
      return instances.map((one) => ({
        key: one.key,
        at: at.get(one.key) ?? [],
        incident: one.incident ?? false,
      }));
    },
    async orderId(processInstanceKey: string): Promise<string | undefined> {
      const filter = `{"processInstanceKey":${processInstanceKey},"name":"orderId"}`;
      const [found] = await all('/v1/variables/search', filter, variable);
      return found && z.string().parse(JSON.parse(found.value));
    },
  };
}
export type InstanceSource = ReturnType<typeof createInstanceSource>;
