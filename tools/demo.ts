/** `npm run demo`: one order for each path and token, side by side; shows how each goes, and fails if one ends wrongly. */
import type { OrderView } from './shop.ts';
import { openShop, shopUrls } from './shop.ts';
import { play } from './play.ts';
import { type Scenario, scenarios } from './scenarios.ts';

type Row = { scenario: Scenario; order?: OrderView; problem?: string | undefined; done: boolean };

const print = (text: string) => process.stdout.write(text);
const live = process.stdout.isTTY;
const rows: Row[] = scenarios.map((scenario) => ({ scenario, done: false }));
const started = Date.now();

function line({ scenario, order, problem, done }: Row): string {
  const mark = !done ? ' ' : problem === undefined ? '✓' : '✗';
  const where = order ? (order.finished ? order.status : `${order.status} ${order.currentStep ?? ''}`) : 'placing';
  const reason = order?.reason ? ` ${order.reason.code}` : '';
  const payment = order?.payment ? `payment ${order.payment.state}` : '';
  return `${mark} ${scenario.name.padEnd(40)} ${`${where}${reason}`.padEnd(48)} ${payment}${done && problem ? `  ← ${problem}` : ''}`;
}

let drawn = 0;
function draw(): void {
  if (!live) return;
  const seconds = Math.round((Date.now() - started) / 1000);
  const text = [`${seconds} s, ${rows.filter((row) => row.done).length} of ${rows.length} ended`, ...rows.map(line)];
  const width = process.stdout.columns || 120;
  print(
    `${drawn > 0 ? `\u001b[${drawn}A` : ''}${text.map((each) => `\u001b[2K${each.slice(0, width - 1)}\n`).join('')}`,
  );
  drawn = text.length;
}

const shop = openShop(shopUrls());
const up = await shop.call('GET', `${shop.urls.order}/health/ready`).catch(() => undefined);
if (up?.status !== 200) {
  process.stderr.write(
    `The shop does not answer at ${shop.urls.order}, or is not ready yet. Start it with: npm start\n`,
  );
  process.exit(1);
}

print(
  `One order for each path of the diagram and each payment token (${rows.length}); the slowest takes half a minute.\n\n`,
);
const timer = setInterval(draw, 500);
await Promise.all(
  rows.map(async (row) => {
    try {
      const { order, problem } = await play(row.scenario, shop, (now) => {
        row.order = now;
      });
      Object.assign(row, { order, problem, done: true });
    } catch (error) {
      Object.assign(row, { problem: error instanceof Error ? error.message : String(error), done: true });
    }
    if (!live) print(`${line(row)}\n`);
  }),
);
clearInterval(timer);
draw();

const wrong = rows.filter((row) => row.problem !== undefined);
const where = wrong.length === 0 ? 'all ended as they should' : `${wrong.length} ended otherwise than they should`;
print(`\n${rows.length} orders in ${Math.round((Date.now() - started) / 1000)} s: ${where}.\n`);
if (wrong.length > 0) print(`Look at one with: curl -s ${shop.urls.order}/orders/${wrong[0]?.order?.id ?? '<id>'}\n`);
await shop.close();
process.exit(wrong.length === 0 ? 0 : 1);
