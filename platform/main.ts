import { join } from 'node:path';
import { createDisplay } from './display.ts';
import { messageOf, PlatformError } from './errors.ts';
import { keepDeletingOldIndices } from './old-indices.ts';
import { partNames, type PartName } from './part.ts';
import { operateLogin } from './operate.ts';
import { AlreadyRunningError } from './pidfiles.ts';
import { startPlatform, type Platform } from './platform.ts';
import { readSettings, urlsOf, type Ports } from './settings.ts';

/** `npm start`: everything, until Ctrl-C. */
const say = (text: string) => process.stdout.write(`${text}\n`);
// A closed terminal or pipe must not end the supervisor before its parts.
process.stdout.on('error', () => undefined);
const exitCodes = { SIGINT: 130, SIGTERM: 143 } as const;

async function main(): Promise<number> {
  const settings = readSettings(process.env);
  const display = createDisplay();
  const stopped = new AbortController();
  const ended = new Promise<keyof typeof exitCodes>((resolve) => {
    let firstAt: number | undefined;
    const onSignal = (signal: keyof typeof exitCodes) => {
      if (firstAt === undefined) {
        firstAt = Date.now();
        display.finishTable();
        say('\nStopping; once more kills everything at once.');
        stopped.abort();
        resolve(signal);
      } else if (Date.now() - firstAt > 1_000) {
        // Not sooner: a Ctrl-C under npm comes twice, from the terminal and from npm.
        killAll();
        process.exit(exitCodes[signal]);
      }
    };
    process
      .on('SIGINT', onSignal)
      .on('SIGTERM', onSignal)
      .on('SIGHUP', () => onSignal('SIGTERM'));
  });
  let killAll = () => undefined as void;
  const parts = partsFrom(process.argv.slice(2));
  const start = startPlatform({
    ...settings,
    parts,
    report: display,
    signal: stopped.signal,
    onKill: (kill) => {
      killAll = kill;
    },
  });
  try {
    const platform = await start;
    display.finishTable();
    say(welcome(settings.ports, settings.dataDir, platform.copyUrls));
    const stopDeleting = parts.includes('opensearch')
      ? keepDeletingOldIndices(platform.urls.opensearch, settings.operateKeepDays, say)
      : undefined;
    const signal = await ended;
    stopDeleting?.();
    await platform.stop();
    return exitCodes[signal];
  } catch (error) {
    display.finishTable();
    if (stopped.signal.aborted) return exitCodes[await ended];
    if (error instanceof AlreadyRunningError) say(addresses(settings.ports));
    throw error;
  }
}

/** `npm start` is everything; `npm start -- postgres kafka` only those. */
function partsFrom(words: readonly string[]): readonly PartName[] {
  const unknown = words.filter((word) => !partNames.some((name) => name === word));
  if (unknown.length > 0) {
    throw new PlatformError(`There is no part called ${unknown.join(', ')}; these are: ${partNames.join(', ')}.`);
  }
  return words.length === 0 ? partNames : partNames.filter((name) => words.includes(name));
}

function addresses(ports: Ports): string {
  const urls = urlsOf(ports);
  const rows = [
    ['orders', `${urls.order}/docs`],
    ['inventory', `${urls.inventory}/docs`],
    ['payments', `${urls.payment}/docs`],
    ['operations', `${urls.orchestrator}/docs`],
    ['Operate', `${urls.operate}   user ${operateLogin.user}, password ${operateLogin.password}`],
    ['payment provider', `${urls.provider}/docs`],
    ['engine (gRPC)', `127.0.0.1:${ports.ZEEBE_GRPC_PORT}`],
    ['Kafka', urls.kafka],
    ['PostgreSQL', urls.postgres],
    ['OpenSearch', urls.opensearch],
  ];
  return rows.map(([name = '', address = '']) => `  ${name.padEnd(20)}${address}`).join('\n');
}

function welcome(ports: Ports, dataDir: string, copyUrls: Platform['copyUrls']): string {
  const copies = [...copyUrls].map(([name, url]) => `\n  ${name.padEnd(20)}${url}`).join('');
  const base = `localhost:${ports.ORDER_PORT}`;
  return `
Everything runs, ${Math.round(process.uptime())} s after the start.

${addresses(ports)}${copies}

Place an order, and look at the newest:
  curl -s ${base}/orders -H 'content-type: application/json' -d '{"productId":"1","quantity":1}'
  curl -s '${base}/orders?limit=1'

Logs: ${join(dataDir, 'logs')}   Stop: Ctrl-C
`;
}

try {
  process.exitCode = await main();
} catch (error) {
  const trace = error instanceof Error && !(error instanceof PlatformError) ? error.stack : undefined;
  process.stderr.write(`${trace ?? messageOf(error)}\n`);
  process.exitCode = 1;
}
// Nothing that is left open (a probe's keep-alive connection) may hold the terminal.
process.exit();
