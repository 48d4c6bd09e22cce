/**
 * Who is asking. Local mode (loopback only): the header is the customer's name, operators use HTTP Basic. JWT mode:
 * bearer tokens, `sub` is the customer, role `operator` in `roles` (or `realm_access.roles`, as Keycloak has it).
 */
import { timingSafeEqual, createHash, createPublicKey } from 'node:crypto';
import { createRemoteJWKSet, importSPKI, jwtVerify, type JWTPayload, type JWTVerifyGetKey } from 'jose';
import { z } from 'zod';
import { ConfigError } from './config.ts';
import { Problem } from './problem.ts';

export type Identity =
  { kind: 'anonymous' } | { kind: 'customer'; customerId: string } | { kind: 'operator'; name: string };

export type IdentitySettings = {
  AUTH_MODE: 'local' | 'jwt';
  BIND_ADDRESS: string;
  LOCAL_MODE_BEHIND_LOOPBACK?: boolean | undefined;
  OPERATOR_USER: string;
  OPERATOR_PASSWORD: string;
  JWT_JWKS_URL?: string | undefined;
  JWT_PUBLIC_KEY?: string | undefined;
  JWT_ALGORITHM: string;
  JWT_ISSUER?: string | undefined;
  JWT_AUDIENCE?: string | undefined;
};

export type Authenticate = (authorization: string | undefined) => Promise<Identity>;

/** What a customer's name may look like where it comes from outside. */
export const customerName = z
  .string()
  .trim()
  .min(1, 'must not be empty')
  .max(64, 'must not be longer than 64 characters')
  .regex(/^[\p{L}\p{N} ._@:+-]+$/u, 'may hold letters, digits, blanks and . _ @ : + -');

const loopback = /^(127\.|::1$|localhost$)/;

/** Throws `ConfigError` where the settings would leave the door open: local mode on a public address, JWT without a key. */
export function createAuthenticate(settings: IdentitySettings): Authenticate {
  if (settings.AUTH_MODE === 'jwt') return jwtMode(settings);
  if (!loopback.test(settings.BIND_ADDRESS) && !settings.LOCAL_MODE_BEHIND_LOOPBACK) {
    throw new ConfigError(
      `AUTH_MODE=local trusts every caller, so it is refused on ${settings.BIND_ADDRESS}: set AUTH_MODE=jwt, or BIND_ADDRESS=127.0.0.1; in a container whose ports are published on loopback only, LOCAL_MODE_BEHIND_LOOPBACK=true.`,
    );
  }
  return async (authorization) => localMode(settings, authorization);
}

function localMode(settings: IdentitySettings, authorization: string | undefined): Identity {
  if (authorization === undefined) return { kind: 'anonymous' };
  const basic = /^Basic\s+(\S+)$/i.exec(authorization)?.[1];
  if (basic !== undefined) {
    const [user, ...rest] = Buffer.from(basic, 'base64').toString('utf8').split(':');
    if (same(user ?? '', settings.OPERATOR_USER) && same(rest.join(':'), settings.OPERATOR_PASSWORD)) {
      return { kind: 'operator', name: settings.OPERATOR_USER };
    }
    throw unauthenticated('User or password is wrong.', 'Basic realm="operators"');
  }
  // A token is no name: as one it would be kept and logged.
  if (/^(Basic|Bearer|Digest|Negotiate)(\s|$)/i.test(authorization)) {
    throw unauthenticated('The header Authorization is read as a name here, or HTTP Basic of an operator: no token.');
  }
  const name = customerName.safeParse(utf8(authorization));
  if (!name.success)
    throw unauthenticated(
      `The header Authorization is no customer's name: it ${name.error.issues[0]?.message ?? 'is wrong'}.`,
    );
  return { kind: 'customer', customerId: name.data };
}

/** Node reads headers as Latin-1; a client that writes UTF-8 means the customer whom a body names in UTF-8. */
function utf8(header: string): string {
  const read = Buffer.from(header, 'latin1').toString('utf8');
  return read.includes('\ufffd') ? header : read;
}

function jwtMode(settings: IdentitySettings): Authenticate {
  const key = jwtKey(settings);
  return async (authorization) => {
    const token = /^Bearer\s+(\S+)$/i.exec(authorization ?? '')?.[1];
    if (token === undefined) throw unauthenticated('Send a bearer token.', 'Bearer');
    const payload = await verify(token, await key, settings);
    const subject = customerName.safeParse(payload.sub);
    if (!subject.success)
      throw unauthenticated('The token names nobody (claim `sub`).', 'Bearer error="invalid_token"');
    return rolesOf(payload).includes('operator')
      ? { kind: 'operator', name: subject.data }
      : { kind: 'customer', customerId: subject.data };
  };
}

function jwtKey(settings: IdentitySettings): Promise<JWTVerifyGetKey> {
  if (settings.JWT_JWKS_URL) return Promise.resolve(createRemoteJWKSet(new URL(settings.JWT_JWKS_URL)));
  if (!settings.JWT_PUBLIC_KEY)
    throw new ConfigError('AUTH_MODE=jwt needs JWT_JWKS_URL or JWT_PUBLIC_KEY (PEM, SPKI).');
  const pem = settings.JWT_PUBLIC_KEY.replaceAll('\\n', '\n');
  try {
    createPublicKey(pem);
  } catch (error) {
    throw new ConfigError('JWT_PUBLIC_KEY is no public key: it must be PEM (SPKI).', { cause: error });
  }
  const key = importSPKI(pem, settings.JWT_ALGORITHM);
  key.catch(() => undefined); // a key of another algorithm shows at the first request
  return Promise.resolve(() => key);
}

async function verify(token: string, key: JWTVerifyGetKey, settings: IdentitySettings): Promise<JWTPayload> {
  try {
    const { payload } = await jwtVerify(token, key, {
      algorithms: [settings.JWT_ALGORITHM],
      requiredClaims: ['sub', 'exp'],
      ...(settings.JWT_ISSUER ? { issuer: settings.JWT_ISSUER } : {}),
      ...(settings.JWT_AUDIENCE ? { audience: settings.JWT_AUDIENCE } : {}),
    });
    return payload;
  } catch (error) {
    const detail = error instanceof Error ? error.message : String(error);
    throw unauthenticated(`The token is not accepted: ${detail}.`, 'Bearer error="invalid_token"');
  }
}

const roleClaims = z.object({
  roles: z.array(z.string()).optional(),
  realm_access: z.object({ roles: z.array(z.string()) }).optional(),
});

function rolesOf(payload: JWTPayload): string[] {
  const claims = roleClaims.safeParse(payload);
  return claims.success ? [...(claims.data.roles ?? []), ...(claims.data.realm_access?.roles ?? [])] : [];
}

function unauthenticated(detail: string, challenge?: string): Problem {
  return new Problem('UNAUTHENTICATED', detail, undefined, challenge ? { 'WWW-Authenticate': challenge } : {});
}

/** Compares without telling by its time how much was right. */
function same(a: string, b: string): boolean {
  const digest = (text: string) => createHash('sha256').update(text).digest();
  return timingSafeEqual(digest(a), digest(b));
}
