// The whole system for the flow tests, on free ports and with data of its own: everything that `npm start` brings up.
// Tests reach the parts by the variables of `shopUrls`, and stop and start them through a small control server.
import { createServer } from 'node:http';
import { once } from 'node:events';
import { startPlatform } from '@ticket-saga/platform/platform';

/** Short, so that a hold can expire and an order can be too old within a test. */
const settings = { HOLD_GRACE: 'PT2S', SWEEP_INTERVAL: 'PT1S', LOG_LEVEL: 'info' };

export default async function setUp() {
  const started = Date.now();
  process.stdout.write('flow tests: starting the whole system on ports of its own …\n');
  const platform = await startPlatform({ env: settings });
  process.stdout.write(`flow tests: everything is up after ${Math.round((Date.now() - started) / 1000)} s\n`);
  const control = createServer((request, response) => {
    const [, name, action] = (request.url ?? '').split('/');
    const part = platform.part(name);
    const acts = { start: () => part.start(), stop: () => part.stop(), kill: async () => part.kill('SIGKILL') };
    acts[action]().then(
      () => response.end('done'),
      (error) => response.writeHead(500).end(String(error)),
    );
  });
  control.listen(0, '127.0.0.1');
  await once(control, 'listening');
  Object.assign(process.env, platform.env, { FLOW_CONTROL: `http://127.0.0.1:${control.address().port}` });
  globalThis.flow = { platform, control };
}
