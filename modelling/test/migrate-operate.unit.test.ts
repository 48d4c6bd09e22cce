import { once } from 'node:events';
import { createServer } from 'node:http';
import { text } from 'node:stream/consumers';
import { afterAll, beforeAll, expect, test } from '@jest/globals';
import { z } from 'zod';
import { createInstanceSource, type InstanceSource } from '../migrate-operate.ts';

/** Operate as it answers (8.6.0): keys as numbers beyond what JavaScript's hold, and where the next page begins. */
const running = Array.from({ length: 1_200 }, (_, index) => 9_007_199_254_740_993n + BigInt(index) * 2n);
const query = z.object({ size: z.number(), searchAfter: z.tuple([z.string(), z.string()]).optional() });
const instanceOf = (key: bigint) => `{"key":${key},"incident":false}`;
const nodeOf = (key: bigint) => `{"key":${key + 1n},"processInstanceKey":${key},"flowNodeId":"WaitForPayment"}`;

const server = createServer((request, response) => {
  void (async () => {
    if (request.url === '/api/login') return response.writeHead(204, { 'set-cookie': 'session=1; Path=/' }).end();
    if (request.headers.cookie !== 'session=1') return response.writeHead(401).end();
    const { size, searchAfter } = query.parse(JSON.parse(await text(request)));
    const page = running.filter((key) => !searchAfter || key > BigInt(searchAfter[1])).slice(0, size);
    const items = page.map(request.url?.includes('flownode') ? nodeOf : instanceOf);
    const sortValues = `["${page.at(-1)}","${page.at(-1)}"]`;
    return response.end(`{"items":[${items.join()}],"sortValues":${sortValues},"total":${running.length}}`);
  })();
});

let source: InstanceSource;
beforeAll(async () => {
  await once(server.listen(0, '127.0.0.1'), 'listening');
  const { port } = z.object({ port: z.number() }).parse(server.address());
  source = createInstanceSource({ OPERATE_URL: `http://127.0.0.1:${port}`, OPERATE_USER: 'x', OPERATE_PASSWORD: 'x' });
});
afterAll(() => void server.close());

test('all pages of the running instances are read, with every digit of their keys', async () => {
  const found = await source.running({ version: 1, processDefinitionKey: '2' });
  expect(found.map(({ key }) => key)).toEqual(running.map(String));
  expect(found.every(({ at }) => at.join() === 'WaitForPayment')).toBe(true);
});
