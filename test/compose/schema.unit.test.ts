import { readFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import { dirname, join } from 'node:path';
import { describe, expect, test } from '@jest/globals';
import { Ajv } from 'ajv';
import { z } from 'zod';
import { readCompose, withDefaults } from './compose.ts';

/** The compose specification's own schema, as the linter dclint ships it. */
function specification() {
  const dclint = dirname(createRequire(import.meta.url).resolve('dclint/package.json'));
  const schema = z
    .record(z.string(), z.unknown())
    .parse(JSON.parse(readFileSync(join(dclint, 'schemas', 'compose.schema.json'), 'utf8')));
  // It names draft 7, which is ajv's default, by an address that ajv does not know.
  delete schema['$schema'];
  return new Ajv({ strict: false, allErrors: true }).compile(schema);
}

const file = () =>
  z
    .object({ services: z.record(z.string(), z.looseObject({})) })
    .loose()
    .parse(withDefaults(readCompose()));

describe('docker-compose.yml and the compose specification', () => {
  const validate = specification();

  test('the file is valid', () => {
    validate(file());
    expect(validate.errors).toBeNull();
  });

  test.each([
    ['an unknown property', { image: 'x', imagee: 'x' }],
    ['a condition that does not exist', { image: 'x', depends_on: { kafka: { condition: 'service_ready' } } }],
    ['a health check of a wrong type', { image: 'x', healthcheck: { test: 7 } }],
  ])('the schema would notice %s', (_what, wrong) => {
    const { services, ...rest } = file();
    expect(validate({ ...rest, services: { ...services, wrong } })).toBe(false);
  });
});
