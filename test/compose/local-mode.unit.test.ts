import { describe, expect, test } from '@jest/globals';
import { identitySettings, readConfig, serviceSettings } from '@ticket-saga/runtime/config';
import { createAuthenticate } from '@ticket-saga/runtime/identity';
import { z } from 'zod';

const authenticate = (env: NodeJS.ProcessEnv) =>
  createAuthenticate(readConfig(z.object({ ...serviceSettings, ...identitySettings }), env));

describe('local mode in a container', () => {
  test('is refused on a public address', () => {
    expect(() => authenticate({ BIND_ADDRESS: '0.0.0.0' })).toThrow(/AUTH_MODE=local trusts every caller/);
    expect(() => authenticate({ BIND_ADDRESS: '0.0.0.0', LOCAL_MODE_BEHIND_LOOPBACK: 'false' })).toThrow(/refused/);
  });

  test('is taken where somebody vouches that only loopback reaches it', async () => {
    const who = authenticate({ BIND_ADDRESS: '0.0.0.0', LOCAL_MODE_BEHIND_LOOPBACK: 'true' });
    await expect(who('ada')).resolves.toEqual({ kind: 'customer', customerId: 'ada' });
  });

  test('the vouching opens nothing in JWT mode', async () => {
    const env = { AUTH_MODE: 'jwt', JWT_JWKS_URL: 'http://127.0.0.1:9/keys', BIND_ADDRESS: '0.0.0.0' };
    const who = authenticate({ ...env, LOCAL_MODE_BEHIND_LOOPBACK: 'true' });
    await expect(who('ada')).rejects.toThrow(/bearer token/);
  });
});
