/** The process instances that run in the engine, as Operate's search knows them: seconds late, and away with Operate. */
import { createOperateApi, type OperateSettings } from '@ticket-saga/runtime/operate';
import { z } from 'zod';

const pageSize = 1_000;

export type RunningProcess = { key: string; processId: string; age: number };
export type RunningProcesses = {
  /** All of them, oldest first, page by page. Rejects while Operate is away. */
  all(): AsyncIterable<RunningProcess>;
  /** The order that an instance works on, by its variable; null when it has none. */
  orderOf(key: string): Promise<string | null>;
};

const instance = z
  .object({ key: z.string(), bpmnProcessId: z.string(), startDate: z.string() })
  .transform(({ key, bpmnProcessId, startDate }) => ({
    key,
    processId: bpmnProcessId,
    age: (Date.now() - Date.parse(startDate)) / 1_000,
  }));
const instances = z.object({ items: z.array(instance), sortValues: z.array(z.unknown()).nullish() });
const variables = z.object({ items: z.array(z.object({ value: z.string() })) });

export function createRunningProcesses(settings: OperateSettings): RunningProcesses {
  const { search } = createOperateApi(settings);
  return {
    async *all() {
      for (let after = ''; ;) {
        const query = `{"filter":{"state":"ACTIVE"},"size":${pageSize},"sort":[{"field":"key","order":"ASC"}]${after}}`;
        const { items, sortValues } = await search('/v1/process-instances/search', query, instances);
        yield* items;
        if (items.length < pageSize || !sortValues) return;
        after = `,"searchAfter":${JSON.stringify(sortValues)}`;
      }
    },
    async orderOf(key) {
      const query = `{"filter":{"processInstanceKey":${key},"scopeKey":${key},"name":"orderId"},"size":1}`;
      const [found] = (await search('/v1/variables/search', query, variables)).items;
      const id = z.uuid().safeParse(found && /^"(.*)"$/.exec(found.value)?.[1]);
      return id.success ? id.data : null;
    },
  };
}
