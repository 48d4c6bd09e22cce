/**
 * What the engine did, from its own records: the broker under test runs Camunda's DebugLogExporter, which writes each
 * record as a JSON line into the broker's log. So a test sees the way of an order without OpenSearch.
 */
import { open } from 'node:fs/promises';
import { z } from 'zod';
import { eventually } from '../support/eventually.ts';

const record = z.object({
  key: z.number(),
  valueType: z.string(),
  recordType: z.string(),
  intent: z.string(),
  value: z.object({
    processInstanceKey: z.union([z.number(), z.string()]).optional(),
    elementId: z.string().optional(),
    bpmnElementType: z.string().optional(),
    errorType: z.string().optional(),
    jobKey: z.number().optional(),
  }),
});
export type EngineRecord = z.infer<typeof record>;
export type EngineRecords = Awaited<ReturnType<typeof followRecords>>;

/** Follows the log from its present end on. */
export async function followRecords(logFile: string) {
  const file = await open(logFile, 'r');
  const records = new Map<string, EngineRecord[]>();
  let position = (await file.stat()).size;
  let unfinished = Buffer.alloc(0);

  async function readOn(): Promise<void> {
    const { size } = await file.stat();
    if (size === position) return;
    const { buffer, bytesRead } = await file.read(Buffer.alloc(size - position), 0, size - position, position);
    position += bytesRead;
    const text = Buffer.concat([unfinished, buffer.subarray(0, bytesRead)]);
    const end = text.lastIndexOf('\n') + 1;
    unfinished = text.subarray(end);
    for (const line of text.subarray(0, end).toString('utf8').split('\n')) keep(line);
  }

  function keep(line: string): void {
    const start = line.indexOf('{"partitionId"');
    if (start < 0) return;
    const parsed = record.parse(JSON.parse(line.slice(start)));
    const instance = String(parsed.value.processInstanceKey ?? '');
    if (parsed.recordType === 'EVENT' && instance) records.set(instance, [...(records.get(instance) ?? []), parsed]);
  }

  return {
    /** Resolves when the instance's records satisfy `probe`, with what it found. */
    until: <T>(what: string, instance: string, probe: (seen: EngineRecord[]) => T | undefined | false): Promise<T> =>
      eventually(
        what,
        async () => {
          await readOn();
          return probe(records.get(instance) ?? []);
        },
        { withinMs: 10_000, everyMs: 10 },
      ),
    close: () => file.close(),
  };
}

const isFlowNode = (it: EngineRecord) =>
  it.valueType === 'PROCESS_INSTANCE' && !/^(PROCESS|SEQUENCE_FLOW)$/.test(it.value.bpmnElementType ?? '');

/** The elements where the instance stands now. */
export function standing(all: EngineRecord[]): string[] {
  const at = new Set<string>();
  for (const { intent, value } of all.filter(isFlowNode)) {
    if (intent === 'ELEMENT_ACTIVATED') at.add(value.elementId ?? '');
    if (/^ELEMENT_(COMPLETED|TERMINATED)$/.test(intent)) at.delete(value.elementId ?? '');
  }
  return [...at];
}

/** The boxes and events that the instance passed, in order; not its gateways. */
export const passed = (all: EngineRecord[]): string[] =>
  all
    .filter(
      (it) => isFlowNode(it) && it.intent === 'ELEMENT_COMPLETED' && !/GATEWAY/.test(it.value.bpmnElementType ?? ''),
    )
    .map((it) => it.value.elementId ?? '');

export const isOver = (all: EngineRecord[]): boolean =>
  all.some((it) => it.value.bpmnElementType === 'PROCESS' && /^ELEMENT_(COMPLETED|TERMINATED)$/.test(it.intent));

export const hasIncident = (all: EngineRecord[]): boolean =>
  all.some((it) => it.valueType === 'INCIDENT' && it.intent === 'CREATED');

export function newestIncident(all: EngineRecord[]): { incidentKey: string; jobKey: string } | undefined {
  const created = all.findLast((it) => it.valueType === 'INCIDENT' && it.intent === 'CREATED');
  return created && { incidentKey: String(created.key), jobKey: String(created.value.jobKey) };
}
