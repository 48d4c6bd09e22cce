import { describe, expect, it } from '@jest/globals';
import { exportSPKI, generateKeyPair, SignJWT } from 'jose';
import { createAuthenticate, type IdentitySettings } from '../identity.ts';

const local: IdentitySettings = {
  AUTH_MODE: 'local',
  BIND_ADDRESS: '127.0.0.1',
  OPERATOR_USER: 'techlead',
  OPERATOR_PASSWORD: 'zup@123',
  JWT_ALGORITHM: 'RS256',
};
const basic = (text: string) => `Basic ${Buffer.from(text).toString('base64')}`;

describe('In local mode', () => {
  const authenticate = createAuthenticate(local);

  it('a header with a name is that customer, and no header is nobody', async () => {
    expect(await authenticate('ada')).toEqual({ kind: 'customer', customerId: 'ada' });
    expect(await authenticate(undefined)).toEqual({ kind: 'anonymous' });
  });

  it('operators log in with user and password', async () => {
    expect(await authenticate(basic('techlead:zup@123'))).toEqual({ kind: 'operator', name: 'techlead' });
  });

  it.each([basic('techlead:wrong'), basic('techlead'), basic(':'), 'Basic !!!', '\u0007', 'x'.repeat(65), '<script>'])(
    'refuses %j',
    async (header) => {
      await expect(authenticate(header)).rejects.toMatchObject({ code: 'UNAUTHENTICATED' });
    },
  );

  it.each(['Bearer abc', 'bearer', 'Basic', 'Digest x'])(
    'refuses %j, which is no name, and keeps no token as one',
    async (header) => {
      await expect(authenticate(header)).rejects.toMatchObject({ code: 'UNAUTHENTICATED' });
    },
  );

  it('a name with letters beyond ASCII is the same in a header as in a body', async () => {
    const asNodeReadsIt = (name: string) => Buffer.from(name, 'utf8').toString('latin1');
    for (const name of ['Müller', 'José', '李雷'])
      expect(await authenticate(asNodeReadsIt(name))).toEqual({ kind: 'customer', customerId: name });
    expect(await authenticate('M\u00fcller')).toEqual({ kind: 'customer', customerId: 'Müller' });
  });

  it('says in a sentence what is wrong with a name', async () => {
    await expect(authenticate('')).rejects.toThrow(
      "The header Authorization is no customer's name: it must not be empty.",
    );
  });

  it('a public address is refused at the start', () => {
    expect(() => createAuthenticate({ ...local, BIND_ADDRESS: '0.0.0.0' })).toThrow(/AUTH_MODE=jwt/);
  });
});

describe('In JWT mode', () => {
  const issuer = 'https://login.example';
  const start = async () => {
    const pair = await generateKeyPair('RS256');
    const settings = {
      ...local,
      AUTH_MODE: 'jwt' as const,
      JWT_PUBLIC_KEY: await exportSPKI(pair.publicKey),
      JWT_ISSUER: issuer,
      JWT_AUDIENCE: 'shop',
    };
    const token = (claims: Record<string, unknown> = {}, expires = '5m', key = pair.privateKey) =>
      new SignJWT({ ...claims })
        .setProtectedHeader({ alg: 'RS256' })
        .setSubject('ada')
        .setIssuer(issuer)
        .setAudience('shop')
        .setExpirationTime(expires)
        .sign(key);
    return { authenticate: createAuthenticate(settings), token };
  };

  it('the subject is the customer, and the role operator makes an operator', async () => {
    const { authenticate, token } = await start();
    expect(await authenticate(`Bearer ${await token()}`)).toEqual({ kind: 'customer', customerId: 'ada' });
    expect(await authenticate(`Bearer ${await token({ roles: ['operator'] })}`)).toEqual({
      kind: 'operator',
      name: 'ada',
    });
  });

  it('an expired, foreign, unsigned or missing token is refused, and so is the local login', async () => {
    const { authenticate, token } = await start();
    const foreign = (await generateKeyPair('RS256')).privateKey;
    const none = `${Buffer.from('{"alg":"none"}').toString('base64url')}.${Buffer.from('{"sub":"ada","exp":9999999999}').toString('base64url')}.`;
    const bad = [
      undefined,
      'ada',
      basic('techlead:zup@123'),
      `Bearer ${none}`,
      `Bearer ${await token({}, '-1m')}`,
      `Bearer ${await token({}, '5m', foreign)}`,
    ];
    for (const header of bad) await expect(authenticate(header)).rejects.toMatchObject({ code: 'UNAUTHENTICATED' });
  });

  it('does not start without a key, or with one that is none', () => {
    expect(() => createAuthenticate({ ...local, AUTH_MODE: 'jwt' })).toThrow(/JWT_JWKS_URL or JWT_PUBLIC_KEY/);
    expect(() => createAuthenticate({ ...local, AUTH_MODE: 'jwt', JWT_PUBLIC_KEY: 'junk' })).toThrow(/JWT_PUBLIC_KEY/);
  });
});
