/** What the engine passed, counted from its own records: the broker under test writes each as JSON into its log. */
import { z } from 'zod';

const record = z.object({
  valueType: z.string(),
  recordType: z.string(),
  intent: z.string(),
  value: z.object({
    processDefinitionKey: z.union([z.number(), z.string()]).transform(String).optional(),
    resource: z.string().optional(),
    elementId: z.string().optional(),
    bpmnElementType: z.string().optional(),
  }),
});
type EngineRecord = z.infer<typeof record>;

/**
 * For each text of a diagram that was deployed, how often each element was passed. By the text, because tests may deploy
 * other diagrams under the same process id, and what those pass says nothing about the diagram in `bpmn/`.
 */
export async function visitsOfDiagrams(log: AsyncIterable<string>): Promise<Map<string, Map<string, number>>> {
  const byText = new Map<string, Map<string, number>>();
  const byDefinition = new Map<string, Map<string, number>>();
  for await (const line of log) {
    const start = line.indexOf('{"partitionId"');
    if (start < 0) continue;
    const { valueType, recordType, intent, value } = record.parse(JSON.parse(line.slice(start)));
    const { processDefinitionKey: definition, elementId } = value;
    if (recordType !== 'EVENT' || !definition) continue;
    if (valueType === 'PROCESS' && intent === 'CREATED') {
      const text = Buffer.from(value.resource ?? '', 'base64').toString('utf8');
      const visits = byText.get(text) ?? new Map<string, number>();
      byText.set(text, visits);
      byDefinition.set(definition, visits);
    }
    const visits = byDefinition.get(definition);
    if (visits && elementId && isPassed(valueType, intent, value))
      visits.set(elementId, (visits.get(elementId) ?? 0) + 1);
  }
  return byText;
}

/** An interrupted task was not passed; an end event that throws is never completed. */
function isPassed(valueType: string, intent: string, { bpmnElementType }: EngineRecord['value']): boolean {
  if (valueType !== 'PROCESS_INSTANCE') return false;
  if (bpmnElementType === 'END_EVENT') return intent === 'ELEMENT_ACTIVATED';
  return intent === 'ELEMENT_COMPLETED' || intent === 'SEQUENCE_FLOW_TAKEN';
}
