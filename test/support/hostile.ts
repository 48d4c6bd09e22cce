/** Made-up input for parsers: bytes, shapes and values that somebody might send by mistake or on purpose. */
import fc from 'fast-check';
import { z } from 'zod';

/** What has broken parsers, databases and languages before. */
const famous = [
  '',
  '\0',
  'a\0b',
  '\ud800',
  '\udfff tail',
  '__proto__',
  'constructor',
  '../../etc/passwd',
  '..',
  "' or 1=1 --",
  '%00',
  '${7*7}',
  '\u202e\u0000\uffff',
  '-1',
  '0',
  '1e999',
  'NaN',
  'null',
  '[object Object]',
  '9'.repeat(19),
  '9'.repeat(400),
  'x'.repeat(5_000),
  '2026-13-45T99:99:99Z',
  '0000-01-01T00:00:00Z',
  '9999-12-31T23:59:59+23:59',
  'P999999999999Y',
  'PT1M0,5S',
  '00000000-0000-0000-0000-000000000000',
];
export const hostileText = fc.oneof(
  { weight: 4, arbitrary: fc.constantFrom(...famous) },
  // What PostgreSQL's text refuses is forgotten most often.
  { weight: 2, arbitrary: fc.constantFrom('\0', 'a\0b') },
  { weight: 1, arbitrary: fc.string({ unit: 'binary', maxLength: 30 }) },
  { weight: 1, arbitrary: fc.uuid() },
);

const hostileNumber = fc.oneof(
  fc.constantFrom(0, -0, -1, 1.5, 0.1 + 0.2, 2 ** 31, 2 ** 31 - 1, -(2 ** 31), 2 ** 53, 1e21, 1e308, Number.MIN_VALUE),
  fc.double({ noNaN: true, noDefaultInfinity: true }),
);
export const hostileValue: fc.Arbitrary<unknown> = fc.oneof(
  hostileText,
  hostileNumber,
  fc.constantFrom(null, true, false, [], {}, [[]]),
  fc.jsonValue({ maxDepth: 3 }),
);

const schemaShape = z.looseObject({
  $ref: z.string().optional(),
  type: z.union([z.string(), z.array(z.string())]).optional(),
  const: z.unknown().optional(),
  enum: z.array(z.unknown()).optional(),
  anyOf: z.array(z.unknown()).optional(),
  oneOf: z.array(z.unknown()).optional(),
  allOf: z.array(z.unknown()).optional(),
  properties: z.record(z.string(), z.unknown()).optional(),
  items: z.unknown().optional(),
  format: z.string().optional(),
  pattern: z.string().optional(),
  minimum: z.number().optional(),
  maximum: z.number().optional(),
  examples: z.array(z.unknown()).optional(),
});

/**
 * Values that fit a JSON schema in most places and are hostile in some, so that they get past the first check.
 * @param resolve looks up a `$ref`
 * @param known texts that exist (ids of things), tried where a text is wanted
 */
export function likeSchema(schema: unknown, resolve: (ref: string) => unknown, known: string[]): fc.Arbitrary<unknown> {
  const parsed = schemaShape.safeParse(schema);
  if (!parsed.success) return hostileValue;
  const { $ref, const: constant, enum: choices, properties, items, ...rest } = parsed.data;
  const inner = (one: unknown) => likeSchema(one, resolve, known);
  const mostly = (fitting: fc.Arbitrary<unknown>) =>
    fc.oneof({ weight: 15, arbitrary: fitting }, { weight: 1, arbitrary: hostileValue });
  if ($ref !== undefined) return inner(resolve($ref));
  if (constant !== undefined) return mostly(fc.constant(constant));
  if (choices && choices.length > 0) return mostly(fc.constantFrom(...choices));
  const several = rest.anyOf ?? rest.oneOf ?? rest.allOf;
  if (several && several.length > 0) return fc.oneof(...several.map(inner));
  switch (Array.isArray(rest.type) ? rest.type[0] : rest.type) {
    case 'object': {
      const fields = Object.fromEntries(Object.entries(properties ?? {}).map(([name, one]) => [name, inner(one)]));
      return mostly(
        fc.oneof(
          { weight: 4, arbitrary: fc.record(fields) },
          { weight: 1, arbitrary: fc.record(fields, { requiredKeys: [] }) },
        ),
      );
    }
    case 'array':
      return mostly(fc.array(inner(items), { minLength: 1, maxLength: 3 }));
    case 'integer':
      return mostly(
        fc.integer({ min: Math.max(rest.minimum ?? 1, -1_000), max: Math.min(rest.maximum ?? 1_000, 1_000) }),
      );
    case 'number':
      return mostly(fc.integer({ min: 1, max: 100_000 }).map((hundredth) => hundredth / 100));
    case 'boolean':
      return mostly(fc.boolean());
    default:
      // Where any text goes, the hostile one fits, too.
      return mostly(
        rest.format === undefined && rest.pattern === undefined
          ? fc.oneof(fittingText(undefined, known), hostileText)
          : fittingText(rest.format, known),
      );
  }
}

function fittingText(format: string | undefined, known: string[]): fc.Arbitrary<string> {
  const words = fc.constantFrom('word', 'tok_approve', ...known);
  if (format === 'uuid')
    return fc.oneof(fc.uuid(), ...known.filter((id) => id.length === 36).map((id) => fc.constant(id)));
  if (format === 'date-time')
    return fc.constantFrom('2026-11-21T12:00:00Z', '0000-01-01T00:00:00Z', '2026-11-21T12:00:00.123456789+14:00');
  if (format === 'duration') return fc.constantFrom('PT5M', 'PT0,5S', 'P1W', 'PT999999999H');
  if (format === 'uri') return fc.constantFrom('http://127.0.0.1:9/', 'https://a.example/x');
  return words;
}

/** JSON text as nobody's serialiser writes it. */
export const brokenJson = fc.constantFrom(
  '',
  ' ',
  '{',
  '{"a":1e999}',
  '{"__proto__":{"polluted":true}}',
  '{"constructor":{"prototype":{"polluted":true}}}',
  '{"a":1,"a":2}',
  `${'['.repeat(20_000)}${']'.repeat(20_000)}`,
  `${'{"a":'.repeat(5_000)}1${'}'.repeat(5_000)}`,
  '\ufeff{}',
  '"\\ud800"',
  '{"id":"\\u0000"}',
  '[1,2,3',
  'undefined',
  '-0',
  '1e400',
);

/** The bytes of a message or a body: noise, broken JSON, any JSON, or what looks like the `schema`. */
export function hostileBytes(like: fc.Arbitrary<unknown>): fc.Arbitrary<Buffer> {
  const text = (value: unknown) => Buffer.from(JSON.stringify(value) ?? '');
  return fc.oneof(
    { weight: 1, arbitrary: fc.uint8Array({ maxLength: 60 }).map((bytes) => Buffer.from(bytes)) },
    { weight: 1, arbitrary: brokenJson.map((json) => Buffer.from(json)) },
    { weight: 1, arbitrary: hostileValue.map(text) },
    { weight: 7, arbitrary: like.map(text) },
  );
}
