/** `npm run rush -- --buyers 5000 --tickets 500`: a rush against a running `npm start`, and its table. */
import { parseArgs } from 'node:util';
import { z } from 'zod';
import { rush } from './rush-run.ts';
import { isRight, tableOf } from './rush-table.ts';
import { openShop, shopUrls } from './shop.ts';

const usage = `Many buyers for few tickets, against a running "npm start":

  npm run rush -- [--buyers 150] [--tickets 20] [--rate <orders a second>] [--seed 1]

Buyers pay with every token of the payment provider, post orders twice, cancel, are aborted; events and callbacks come
again. When all orders have ended, as many buyers who pay come as there were tickets. Ends with a table of what must be
true of stock and money, and with exit code 1 if a line is off. The same seed brings the same buyers.
`;

const whole = (standard: number, least = 1) => z.coerce.number().int().min(least).default(standard);
const flags = z.object({
  buyers: whole(150),
  tickets: whole(20).refine((tickets) => tickets <= 1_000_000),
  rate: z.coerce.number().positive().optional(),
  seed: whole(1, 0),
});

const print = (text: string) => process.stdout.write(`${text}\n`);

function readFlags(): z.infer<typeof flags> {
  try {
    const texts = { type: 'string' } as const;
    const { values } = parseArgs({
      options: { buyers: texts, tickets: texts, rate: texts, seed: texts, help: { type: 'boolean' } },
    });
    if (values.help) {
      print(usage);
      process.exit(0);
    }
    return flags.parse(values);
  } catch (error) {
    const why =
      error instanceof z.ZodError
        ? error.issues.map(({ path, message }) => `--${path.join('.')}: ${message}`).join('\n')
        : String(error);
    process.stderr.write(`${why}\n\n${usage}`);
    process.exit(2);
  }
}

const { rate, ...options } = readFlags();
const shop = openShop(shopUrls());
const up = await shop.call('GET', `${shop.urls.order}/health/ready`).catch(() => undefined);
if (up?.status !== 200) {
  process.stderr.write(
    `The shop does not answer at ${shop.urls.order}, or is not ready yet. Start it with: npm start\n`,
  );
  process.exit(1);
}

const started = Date.now();
const say = (text: string) => print(`[${String(Math.round((Date.now() - started) / 1_000)).padStart(4)} s] ${text}`);
const result = await rush(shop, { ...options, ...(rate === undefined ? {} : { rate }), say }).catch(
  (error: unknown) => {
    process.stderr.write(`${error instanceof Error ? error.message : String(error)}\n`);
    process.exit(1);
  },
);
await shop.close();

const { buyers, tickets, seed } = options;
print(`
${buyers} buyers for ${tickets} tickets (seed ${seed}): all ended after ${result.seconds.toFixed(0)} s, ${result.ordersPerSecond.toFixed(1)} orders a second.

How the orders of the first wave ended:
${result.ends}

What must be true, and is:
${tableOf(result.lines)}
`);
const wrong = result.lines.filter((line) => !isRight(line));
if (wrong.length > 0) print(`${wrong.length} of ${result.lines.length} lines are off.`);
process.exit(wrong.length === 0 ? 0 : 1);
