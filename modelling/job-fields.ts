/** The fields of a job's input or output in words, and an example of them: for people who fill them in by hand. */
import { z } from 'zod';

export type Field = { name: string; needed: boolean; words: string; example: unknown };

const field = z.looseObject({
  type: z.union([z.string(), z.array(z.string())]).optional(),
  format: z.string().optional(),
  enum: z.array(z.string()).optional(),
  anyOf: z.array(z.looseObject({ type: z.string().optional() })).optional(),
});
const object = z.looseObject({
  properties: z.record(z.string(), field).default({}),
  required: z.array(z.string()).default([]),
});

/** @param now instants in the examples lie a quarter of an hour after this, so that a deadline is still to come */
export function fieldsOf(schema: z.ZodObject, now = new Date()): Field[] {
  const { properties, required } = object.parse(z.toJSONSchema(schema, { io: 'input', unrepresentable: 'any' }));
  return Object.entries(properties).map(([name, found]) => {
    const known = field.parse(found.anyOf?.find((choice) => choice.type !== 'null') ?? found);
    return { name, needed: required.includes(name), ...describe(known, now) };
  });
}

function describe(known: z.infer<typeof field>, now: Date): { words: string; example: unknown } {
  if (known.enum) return { words: `one of ${known.enum.join(', ')}`, example: known.enum[0] };
  if (known.format === 'date-time') {
    const example = new Date(now.getTime() + 15 * 60_000).toISOString();
    return { words: 'a moment such as 2026-05-01T12:00:00.000Z', example };
  }
  if (known.format === 'duration') return { words: 'a duration such as PT15M', example: 'PT15M' };
  if (known.format === 'uuid') return { words: 'a UUID', example: '00000000-0000-4000-8000-000000000000' };
  if (known.type === 'integer') return { words: 'a whole number', example: 1 };
  if (known.type === 'array') return { words: 'a list', example: [] };
  return { words: 'a text', example: 'text' };
}

/** What must be given, as JSON that can be copied. */
export const exampleOf = (schema: z.ZodObject, now?: Date): string =>
  JSON.stringify(
    Object.fromEntries(
      fieldsOf(schema, now)
        .filter(({ needed }) => needed)
        .map(({ name, example }) => [name, example]),
    ),
  );
