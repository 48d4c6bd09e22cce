// Runs the reconciliation, as built, in a process of its own with the memory that a service has: prints what it took.
import { createLogger } from '@ticket-saga/runtime/logger';
import { createDb } from '@ticket-saga/runtime/database';
import { createProviderBooks } from '../dist/provider-books.js';
import { reconcile } from '../dist/reconcile-run.js';
import { beginRun } from '../dist/reconcile-runs.js';
import { createServices } from '../dist/services.js';

const { settings, databaseUrl, times, running } = JSON.parse(process.env.RECONCILE_CHILD ?? '');
const db = createDb(databaseUrl);
const parts = {
  db,
  services: createServices(settings),
  books: createProviderBooks(settings),
  logger: createLogger('reconcile', 'error'),
  times,
  settings: { PAYMENT_DEADLINE: 'PT15M', HOLD_GRACE: 'PT5M' },
  // The engine and Operate are not there: the keys of living processes begin with 1.
  engine: { isAlive: async (key) => key.startsWith('1') },
  running: {
    async *all() {
      yield* running;
    },
    orderOf: async (key) => running.find((one) => one.key === key)?.orderId ?? null,
  },
};
const started = Date.now();
const run = await beginRun(db, { operator: 'test', reason: 'a test', repair: false });
await reconcile(parts, run, new AbortController().signal);
await db.$disconnect();
const megabytes = Math.round(process.resourceUsage().maxRSS / 1024);
process.stdout.write(JSON.stringify({ run: String(run.id), seconds: (Date.now() - started) / 1_000, megabytes }));
