/** Random requests at every route of a service, as its own OpenAPI document lists them: a new route is tried by itself. */
import { request as send } from 'node:http';
import fc from 'fast-check';
import { z } from 'zod';
import { hostileBytes, hostileText, likeSchema } from './hostile.ts';

const parameter = z.looseObject({ name: z.string(), in: z.string(), schema: z.unknown() });
const operation = z.looseObject({
  parameters: z.array(parameter).default([]),
  requestBody: z.looseObject({ content: z.record(z.string(), z.looseObject({ schema: z.unknown() })) }).optional(),
});
const openApi = z.looseObject({ paths: z.record(z.string(), z.record(z.string(), operation)) });

export type FuzzRequest = { method: string; path: string; headers: Record<string, string>; body: Buffer | undefined };
export type FuzzAnswer = { status: number; type: string; text: string };
export type FuzzRoute = { name: string; requests: fc.Arbitrary<FuzzRequest> };
type Known = {
  /** Ids of things that exist. */
  ids: string[];
  /** Headers that let the caller in. */
  headers: Record<string, string>;
  /** Changes a request before it is sent: signs it, say. */
  sign?: (request: FuzzRequest) => FuzzRequest;
};

export async function routesOf(
  url: string,
  { ids, headers, sign = (request) => request }: Known,
): Promise<FuzzRoute[]> {
  const document: unknown = await (await fetch(`${url}/openapi.json`)).json();
  const resolve = (ref: string): unknown =>
    ref
      .split('/')
      .slice(1)
      .reduce<unknown>((at, key) => z.record(z.string(), z.unknown()).parse(at)[key], document);
  return Object.entries(openApi.parse(document).paths).flatMap(([path, methods]) =>
    Object.entries(methods).map(([method, { parameters, requestBody }]) => {
      const named = (where: string) => parameters.filter((one) => one.in === where);
      const schema = requestBody?.content['application/json']?.schema;
      const body = schema === undefined ? fc.constant(undefined) : hostileBytes(likeSchema(schema, resolve, ids));
      const requests = fc
        .record({
          path: pathLike(path, ids),
          query: queryLike(
            named('query').map(({ name }) => name),
            ids,
          ),
          headers: headersLike(
            named('header').map(({ name }) => name),
            headers,
            schema !== undefined,
          ),
          body,
        })
        .map((one) =>
          sign({ method: method.toUpperCase(), path: one.path + one.query, headers: one.headers, body: one.body }),
        );
      return { name: `${method.toUpperCase()} ${path}`, requests };
    }),
  );
}

/** Text as it may stand in an address, also where its encoding is broken. */
const encoded = fc.oneof(
  {
    weight: 6,
    arbitrary: hostileText.map((text) =>
      encodeURIComponent(text.replaceAll(/[\ud800-\udfff]/g, '\ufffd')).slice(0, 3_000),
    ),
  },
  { weight: 1, arbitrary: fc.constantFrom('%', '%ff%fe', '%E0%A4%A', '%c0%80', '%ed%a0%80') },
);

function pathLike(path: string, ids: string[]): fc.Arbitrary<string> {
  const part = fc.oneof({ weight: 4, arbitrary: fc.constantFrom('1', ...ids) }, { weight: 3, arbitrary: encoded });
  const places = [...path.matchAll(/\{\w+\}/g)];
  return fc.tuple(...places.map(() => part)).map((parts) => {
    let at = 0;
    return path.replaceAll(/\{\w+\}/g, () => parts[at++] ?? '');
  });
}

function queryLike(names: string[], ids: string[]): fc.Arbitrary<string> {
  const name = fc.oneof({ weight: 5, arbitrary: fc.constantFrom('x', ...names) }, { weight: 1, arbitrary: encoded });
  const value = fc.oneof(
    { weight: 2, arbitrary: fc.constantFrom('1', '20', ...ids) },
    { weight: 1, arbitrary: hostileText.map((text) => Buffer.from(text).toString('base64url').slice(0, 500)) },
    { weight: 2, arbitrary: encoded },
  );
  return fc
    .array(fc.tuple(name, value), { maxLength: 3 })
    .map((pairs) => (pairs.length > 0 ? `?${pairs.map((pair) => pair.join('=')).join('&')}` : ''));
}

const headerText = fc
  .oneof(
    hostileText,
    fc.constantFrom('Basic', 'Basic !!!', 'Bearer a.b.c', 'Basic Og==', 't=1,v1=00', '999999999999999999'),
  )
  .map((text) => text.replaceAll(/[^\t\x20-\x7e\x80-\xff]/g, '?').slice(0, 2_000));

function headersLike(
  names: string[],
  way: Record<string, string>,
  hasBody: boolean,
): fc.Arbitrary<Record<string, string>> {
  const json = { 'content-type': 'application/json' };
  const type = fc.constantFrom(
    json,
    json,
    json,
    json,
    { 'content-type': 'text/plain' },
    { ...json, 'content-encoding': 'gzip' },
    {
      'content-type': 'application/json; charset=utf-16',
    },
  );
  const some = fc.constantFrom(
    'authorization',
    'idempotency-key',
    'last-event-id',
    ...names.map((name) => name.toLowerCase()),
  );
  const odd = fc.oneof(
    { weight: 2, arbitrary: fc.constant({}) },
    { weight: 1, arbitrary: fc.tuple(some, headerText).map(([name, value]) => ({ [name]: value })) },
  );
  const usual = fc.record(
    Object.fromEntries(names.map((name) => [name.toLowerCase(), fc.oneof(fc.constant('1'), fc.uuid())])),
  );
  return fc
    .tuple(usual, type, odd)
    .map(([named, content, strange]) => ({ ...named, ...way, ...(hasBody ? content : {}), ...strange }));
}

/** By Node's own client, which leaves the address as it is. An event stream is left after its head. */
export function ask(url: string, { method, path, headers, body }: FuzzRequest): Promise<FuzzAnswer> {
  return new Promise((resolve, reject) => {
    const { hostname, port } = new URL(url);
    const length = body ? { 'content-length': String(body.length) } : {};
    const call = send(
      { hostname, port, method, path, headers: { ...headers, ...length }, agent: false },
      (response) => {
        const type = response.headers['content-type'] ?? '';
        const status = response.statusCode ?? 0;
        if (type.startsWith('text/event-stream')) {
          response.destroy();
          resolve({ status, type, text: '' });
          return;
        }
        const chunks: Buffer[] = [];
        response.on('data', (chunk: Buffer) => chunks.push(chunk));
        response.on('end', () => resolve({ status, type, text: Buffer.concat(chunks).toString() }));
      },
    );
    call.on('error', reject);
    call.end(body);
  });
}

const problem = z.object({
  code: z.string().min(1),
  status: z.int(),
  title: z.string().min(1),
  detail: z.string().optional(),
  errors: z.array(z.object({ path: z.string().min(1), message: z.string().min(1) })).optional(),
});

/** What is wrong with the answer, if anything. `allowed`: codes of 503 that are no failure here. */
export function complaintOf({ status, type, text }: FuzzAnswer, allowed: string[] = []): string | undefined {
  if (status < 400) return undefined;
  if (!type.startsWith('application/problem+json')) return `${status} is ${type}, no problem document`;
  const document = problem.safeParse(JSON.parse(text));
  if (!document.success) return `no problem document: ${z.prettifyError(document.error)}`;
  if (status >= 500 && !allowed.includes(document.data.code)) return `our failure: ${text}`;
  if (status === 422 && !document.data.errors?.length) return 'a 422 that names no field';
  return undefined;
}
