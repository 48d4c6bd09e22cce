import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, test } from '@jest/globals';
import { camundaPart, recordPrefix } from '@ticket-saga/platform/camunda';
import { kafkaProperties } from '@ticket-saga/platform/kafka';
import { opensearchPart } from '@ticket-saga/platform/opensearch';
import { operateLogin, operatePart } from '@ticket-saga/platform/operate';
import type { Part } from '@ticket-saga/platform/part';
import { postgresPart } from '@ticket-saga/platform/postgres';
import { portDefaults } from '@ticket-saga/platform/settings';
import { container, environmentOf } from './compose.ts';
import { platformContext } from './parts.ts';

const context = platformContext();

/** What a part writes into a configuration file below its data directory (JSON, which is YAML too). */
async function configOf(part: Part, ...path: string[]): Promise<unknown> {
  if (part.kind !== 'server') throw new Error(`${part.name} is no server.`);
  await part.prepare?.(() => undefined, new AbortController().signal);
  return JSON.parse(readFileSync(join(context.dataDir, ...path), 'utf8'));
}

/** `{a: {bC: 1}}` → `[['a.bC', '1']]`, with the addresses that the parts have as containers. */
function flat(value: unknown, path = ''): [string, string][] {
  if (typeof value !== 'object' || value === null || Array.isArray(value)) return [[path, asContainer(String(value))]];
  return Object.entries(value).flatMap(([key, inner]) => flat(inner, path ? `${path}.${key}` : key));
}

const asContainer = (value: string) =>
  value
    .replace(`127.0.0.1:${portDefaults.OPENSEARCH_PORT}`, 'opensearch:9200')
    .replace(`127.0.0.1:${portDefaults.ZEEBE_GRPC_PORT}`, 'camunda:26500');

/** As Spring reads it from the environment. */
const variable = (path: string) => path.replaceAll('.', '_').toUpperCase();

/** As the Kafka image reads a property from the environment. */
const property = (name: string) => `KAFKA_${variable(name)}`;

const camundaSettings = (name: string) =>
  Object.fromEntries(Object.entries(environmentOf(name)).filter(([key]) => /^(ZEEBE|CAMUNDA)_/.test(key)));

/** Where a part listens and keeps its data is settled by its image. */
const ofTheMachine = /^(server|management)\.|^zeebe\.broker\.(gateway\.)?network\.|\.directory$/;

/** Old indices: the image's search server can drop them by itself, the one of `npm start` cannot (`platform/old-indices.ts`). */
const ofTheImage = /_(RETENTION|ARCHIVER)_/;

describe('settings of the platform as containers and in npm start', () => {
  test.each([
    ['camunda', camundaPart(context)],
    ['operate', operatePart(context)],
  ])('%s has the same', async (name, part) => {
    const config = flat(await configOf(part, name, 'config', 'application.yaml'));
    const expected = config
      .filter(([path]) => !ofTheMachine.test(path))
      .map(([path, value]) => [variable(path), value]);
    expect(expected.length).toBeGreaterThan(10);
    const given = Object.entries(camundaSettings(name)).filter(([key]) => !ofTheImage.test(key));
    expect(Object.fromEntries(given)).toEqual(Object.fromEntries(expected));
  });

  test('exporter and Operate agree on the index prefix, and the login is the one of the training', () => {
    expect(environmentOf('camunda')['ZEEBE_BROKER_EXPORTERS_OPENSEARCH_ARGS_INDEX_PREFIX']).toBe(recordPrefix);
    expect(environmentOf('operate')['CAMUNDA_OPERATE_ZEEBEOPENSEARCH_PREFIX']).toBe(recordPrefix);
    const { CAMUNDA_OPERATE_USERID: user, CAMUNDA_OPERATE_PASSWORD: password } = environmentOf('operate');
    expect({ user, password }).toEqual(operateLogin);
    expect({ user, password }).toEqual({ user: 'techlead', password: 'zup@123' });
  });

  test('kafka has the same, but for where it listens and writes', () => {
    const its = ['controller.quorum.voters', 'listeners', 'advertised.listeners', 'log.dirs'].map(property);
    const expected = Object.entries(kafkaProperties(portDefaults, '/')).map(([name, value]) => [property(name), value]);
    const given = Object.entries(environmentOf('kafka')).filter(([name]) => !its.includes(name));
    expect(Object.fromEntries(given)).toEqual({
      ...Object.fromEntries(
        expected.filter(([name]) => !its.includes(String(name))).map(([name, value]) => [name, String(value)]),
      ),
      // Two listeners need a map; the image needs the cluster's id and a heap.
      KAFKA_LISTENER_SECURITY_PROTOCOL_MAP: 'PLAINTEXT:PLAINTEXT,HOST:PLAINTEXT,CONTROLLER:PLAINTEXT',
      CLUSTER_ID: expect.stringMatching(/^[A-Za-z0-9_][\w-]{21}$/),
      KAFKA_HEAP_OPTS: expect.any(String),
    });
  });

  test('opensearch has the same, but for where it listens', async () => {
    const config = flat(await configOf(opensearchPart(context), 'opensearch', 'node_1', 'config', 'opensearch.yml'));
    const expected = config.filter(([name]) => !['transport.port', 'network.host'].includes(name));
    expect(environmentOf('opensearch')).toMatchObject({ 'cluster.name': 'local', ...Object.fromEntries(expected) });
  });

  test('postgres has the same, but for where it listens', async () => {
    const part = postgresPart(context);
    if (part.kind !== 'server') throw new Error('PostgreSQL is no server.');
    const its = /^(port|listen_addresses|unix_socket_directories)=/;
    const settings = (await part.command()).args.filter((arg) => arg.includes('=') && !its.test(arg));
    expect(container('postgres').command).toEqual(['postgres', ...settings.flatMap((setting) => ['-c', setting])]);
  });
});
