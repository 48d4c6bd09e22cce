import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, test } from '@jest/globals';
import { services } from '@ticket-saga/platform/services';
import * as shared from '@ticket-saga/runtime/config';
import { serviceSchemas } from '@ticket-saga/runtime/database-url';
import { z } from 'zod';
import { container, environmentOf, root } from './compose.ts';

const mainOf = (service: string) => readFileSync(join(root, service, 'main.ts'), 'utf8');

/** The names of the settings in a service's `main.ts`; it cannot be imported without being started. */
function settingsOf(service: string): string[] {
  const schema = /readConfigOrExit\(\s*z\.object\(\{(.*?)\n {2}\}\),\n\);/s.exec(mainOf(service))?.[1] ?? '';
  const spread = [...schema.matchAll(/^ {4}\.\.\.(\w+),/gm)].flatMap(([, name = '']) =>
    Object.keys(z.record(z.string(), z.unknown()).parse(Object.entries(shared).find(([key]) => key === name)?.[1])),
  );
  const own = [...schema.matchAll(/^ {4}([A-Z][A-Z0-9_]*):/gm)].map(([, name = '']) => name);
  return [...spread, ...own];
}

/** Settings that name another part; their defaults are on this machine, which a container is not. */
const isAddress = (name: string) => /_(HOST|URL|BROKERS|GRPC_ADDRESS)$/.test(name) && !name.startsWith('JWT_');

const passwordOf = (role: string) => `${role.toUpperCase()}_DB_PASSWORD`;

describe.each(services.map(({ name, port }) => ({ name, ownPort: port })))('$name', ({ name, ownPort }) => {
  const settings = settingsOf(name);
  const role = /service\.database\('(\w+)'\)/.exec(mainOf(name))?.[1] ?? '';

  test('every setting that it reads can be given, and no other', () => {
    const expected = settings.filter((setting) => setting !== ownPort);
    expect(Object.keys(container(name).environment).toSorted()).toEqual([...expected, passwordOf(role)].toSorted());
  });

  test('it is told where the other parts are', () => {
    const told = Object.keys(environmentOf(name));
    expect(told).toEqual(expect.arrayContaining(settings.filter(isAddress)));
  });

  test('it can be reached from outside its container, and then vouches for loopback', () => {
    expect(environmentOf(name)['BIND_ADDRESS']).toBe('0.0.0.0');
    expect(environmentOf(name)['LOCAL_MODE_BEHIND_LOOPBACK']).toBe(settings.includes('AUTH_MODE') ? 'true' : undefined);
  });

  test('its own settings keep their defaults', () => {
    const set = Object.keys(environmentOf(name)).filter((key) => !isAddress(key));
    const common = ['BIND_ADDRESS', 'DATABASE_NAME', 'LOCAL_MODE_BEHIND_LOOPBACK', 'POSTGRES_PORT'];
    expect(common).toEqual(expect.arrayContaining(set));
  });
});

test('the provider finds the webhook of payment-service', () => {
  expect(environmentOf('payment-service')['PAYMENT_URL']).toBe('http://payment-service:8082');
});

test('the migration is told the database and the passwords of all roles', () => {
  expect(Object.keys(container('migrate').environment).toSorted()).toEqual(
    ['POSTGRES_URL', ...serviceSchemas.map(passwordOf)].toSorted(),
  );
  const { POSTGRES_PASSWORD, POSTGRES_DB } = environmentOf('postgres');
  expect(environmentOf('migrate')['POSTGRES_URL']).toBe(
    `postgresql://postgres:${POSTGRES_PASSWORD}@postgres:5432/${POSTGRES_DB}`,
  );
});
