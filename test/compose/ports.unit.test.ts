import { describe, expect, test } from '@jest/globals';
import { services } from '@ticket-saga/platform/services';
import { portDefaults } from '@ticket-saga/platform/settings';
import { container, environmentOf, written } from './compose.ts';

/** The addresses that PRODUCT.md promises, and Kafka UI, which `npm start` does not have. */
const promised = {
  ORDER_PORT: 8080,
  INVENTORY_PORT: 8081,
  PAYMENT_PORT: 8082,
  ORCHESTRATOR_PORT: 8083,
  KAFKA_UI_PORT: 8084,
  OPERATE_PORT: 8088,
  PROVIDER_PORT: 8089,
  POSTGRES_PORT: 5433,
  KAFKA_PORT: 9092,
  OPENSEARCH_PORT: 9200,
  ZEEBE_GRPC_PORT: 26500,
};

const published = Object.entries(written.services).flatMap(([name, { ports }]) =>
  ports.map((port) => {
    const {
      variable = '',
      standard,
      target,
    } = /^127\.0\.0\.1:\$\{(?<variable>[A-Z_]+):-(?<standard>\d+)\}:(?<target>\d+)$/.exec(port)?.groups ?? {};
    return { name, port, variable, standard: Number(standard), target: Number(target) };
  }),
);

/** The ports on which a container listens for others. */
function listensOn(name: string): string[] {
  const targets = published.filter((one) => one.name === name).map(({ target }) => String(target));
  const listeners = environmentOf(name)['KAFKA_LISTENERS'] ?? '';
  return [...targets, ...[...listeners.matchAll(/\/\/:(\d+)/g)].map(([, port = '']) => port)];
}

describe('published ports', () => {
  test.each(published)('$name: $port is on loopback and can be moved', ({ variable }) => {
    expect(Object.keys(promised)).toContain(variable);
  });

  test('they are those that PRODUCT.md promises', () => {
    expect(Object.fromEntries(published.map(({ variable, standard }) => [variable, standard]))).toEqual(promised);
    expect(published).toHaveLength(Object.keys(promised).length);
  });

  test('npm start has the same', () => {
    const { KAFKA_UI_PORT, ...shared } = promised;
    expect(portDefaults).toMatchObject(shared);
    expect(Object.values(portDefaults)).not.toContain(KAFKA_UI_PORT);
  });

  test.each(services)('$name is asked for its health where it listens', ({ name, port }) => {
    expect(listensOn(name)).toEqual([String(portDefaults[port])]);
    expect(container(name).healthcheck?.test).toEqual(['CMD', 'node', 'deploy/ready.mjs', String(portDefaults[port])]);
  });

  test('Kafka tells programs on this machine the port under which they find it', () => {
    expect(written.services['kafka']?.environment['KAFKA_ADVERTISED_LISTENERS']).toContain(
      'HOST://127.0.0.1:${KAFKA_PORT:-9092}',
    );
  });

  test('an operator is led to Operate where it is published', () => {
    expect(written.services['orchestrator']?.environment['OPERATE_URL']).toBe('http://127.0.0.1:${OPERATE_PORT:-8088}');
  });
});

describe('addresses between containers', () => {
  const addresses = Object.keys(written.services).flatMap((name) =>
    Object.entries(environmentOf(name)).flatMap(([key, value]) =>
      [...value.matchAll(/(?:^|\/\/|@)([a-z][a-z-]*):(\d+)/g)].map(([, host = '', port = '']) => ({
        name,
        key,
        host,
        port,
      })),
    ),
  );

  test.each(addresses.filter(({ host }) => host !== 'localhost'))(
    '$name: $key leads to $host:$port',
    ({ host, port }) => {
      expect(Object.keys(written.services)).toContain(host);
      expect(listensOn(host)).toContain(port);
    },
  );

  test.each(services)('$name finds the database', ({ name }) => {
    const { DATABASE_HOST = '', POSTGRES_PORT, DATABASE_NAME } = environmentOf(name);
    expect(listensOn(DATABASE_HOST)).toEqual([POSTGRES_PORT]);
    expect(environmentOf('postgres')['POSTGRES_DB']).toBe(DATABASE_NAME);
  });
});
