// Everything that `npm start` brings up, on free ports and with data of its own, for the levels `flow` and `faults`.
// Tests reach the parts by the variables of `shopUrls`, and stop, kill, pause and start them through a small control
// server (`test/support/system.ts`), because Jest's set-up runs outside the tests.
import { createServer } from 'node:http';
import { once } from 'node:events';
import { cp } from 'node:fs/promises';
import { join } from 'node:path';
import { startPlatform } from '@ticket-saga/platform/platform';

const acts = {
  start: (part) => part.start(),
  stop: (part) => part.stop(),
  kill: async (part) => part.kill('SIGKILL'),
  pause: async (part) => part.kill('SIGSTOP'),
  resume: async (part) => part.kill('SIGCONT'),
  pid: async (part) => String(part.pid ?? ''),
  ready: async (part) => String(part.isReady),
};

/** `options` are those of `startPlatform`; `name` is the level's. */
export async function startSystem(name, options) {
  const started = Date.now();
  process.stdout.write(`${name} tests: starting the whole system on ports of its own …\n`);
  const platform = await startPlatform(options);
  process.stdout.write(`${name} tests: everything is up after ${Math.round((Date.now() - started) / 1000)} s\n`);
  const control = createServer((request, response) => {
    const [, part, action] = (request.url ?? '').split('/');
    const act = async () => acts[action](platform.part(part));
    act().then(
      (answer) => response.end(answer ?? 'done'),
      (error) => response.writeHead(500).end(String(error)),
    );
  });
  control.listen(0, '127.0.0.1');
  await once(control, 'listening');
  Object.assign(process.env, platform.env, {
    SYSTEM_CONTROL: `http://127.0.0.1:${control.address().port}`,
    ORDER_COPY_URL: platform.copyUrls.get('order-service-2') ?? '',
  });
  globalThis.wholeSystem = { platform, control };
}

/** The services' logs go away with the data; `TEST_LOGS=<directory>` keeps a copy of them. */
export async function stopSystem() {
  if (!globalThis.wholeSystem) return;
  const { platform, control } = globalThis.wholeSystem;
  control.close();
  const keep = process.env.TEST_LOGS;
  if (keep) await cp(join(platform.dataDir, 'logs'), keep, { recursive: true });
  await platform.stop();
}
