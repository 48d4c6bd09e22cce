import { homedir } from 'node:os';
import { join } from 'node:path';
import { expect, test } from '@jest/globals';
import { portDefaults, readSettings, repositoryRoot, serviceEnvironment } from '../settings.ts';

test('without any variable the documented defaults hold', () => {
  expect(readSettings({})).toEqual({
    ports: portDefaults,
    dataDir: join(repositoryRoot(), '.data'),
    cacheDir: join(homedir(), '.cache', 'ticket-saga'),
    copies: 1,
    operateKeepDays: 30,
  });
});

test('an empty variable counts as not set', () => {
  expect(readSettings({ ORDER_PORT: '', DATA_DIR: '', CACHE_DIR: '' })).toEqual(readSettings({}));
});

test('everything that is wrong is reported at once', () => {
  const read = () => readSettings({ ORDER_PORT: 'x', KAFKA_PORT: '70000', OPENSEARCH_PORT: '9999' });
  expect(read).toThrow(/ORDER_PORT(.|\n)*KAFKA_PORT(.|\n)*OPENSEARCH_PORT/);
});

test('a time that Operate may still need is refused by name, as is what is no number of days', () => {
  expect(readSettings({ OPERATE_KEEP: 'P90D' }).operateKeepDays).toBe(90);
  for (const wrong of ['P1D', '30', 'P1M']) expect(() => readSettings({ OPERATE_KEEP: wrong })).toThrow(/OPERATE_KEEP/);
});

test('services are told where the parts really are', () => {
  const env = serviceEnvironment({ ...portDefaults, KAFKA_PORT: 1111, ZEEBE_GRPC_PORT: 2222, PROVIDER_PORT: 3333 });
  expect(env).toMatchObject({
    KAFKA_BROKERS: '127.0.0.1:1111',
    ZEEBE_GRPC_ADDRESS: 'grpc://127.0.0.1:2222',
    PROVIDER_URL: 'http://127.0.0.1:3333',
    POSTGRES_PORT: '5433',
  });
});
