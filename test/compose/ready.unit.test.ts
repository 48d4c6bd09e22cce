import { execFile } from 'node:child_process';
import { once } from 'node:events';
import { createServer } from 'node:http';
import { join } from 'node:path';
import { afterEach, describe, expect, test } from '@jest/globals';
import { z } from 'zod';
import { root } from './compose.ts';

const server = createServer();
afterEach(() => {
  server.close();
  server.removeAllListeners('request');
});

async function serve(status: number): Promise<number> {
  server.on('request', (request, response) => {
    response.statusCode = request.url === '/health/ready' ? status : 404;
    response.end('{"parts":{}}');
  });
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  return z.object({ port: z.number() }).parse(server.address()).port;
}

const check = (port: number) =>
  new Promise<{ code: number | null; output: string }>((resolve) => {
    const child = execFile(process.execPath, [join(root, 'deploy', 'ready.mjs'), String(port)], (_error, output) =>
      resolve({ code: child.exitCode, output }),
    );
  });

describe('the health check of a container', () => {
  test('passes for a service that is ready', async () => {
    expect((await check(await serve(200))).code).toBe(0);
  });

  test('fails for one that is not, and shows what it said', async () => {
    expect(await check(await serve(503))).toEqual({ code: 1, output: '{"parts":{}}\n' });
  });

  test('fails where nothing listens', async () => {
    const port = await serve(200);
    server.close();
    await once(server, 'close');
    const { code, output } = await check(port);
    expect(code).toBe(1);
    expect(output).toContain('ECONNREFUSED');
  });
});
