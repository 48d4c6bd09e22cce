/** Entry point of `npm run migrate-instances`. */
import { readFile } from 'node:fs/promises';
import { parseArgs } from 'node:util';
import { readConfigOrExit } from '@ticket-saga/runtime/config';
import { createEngine } from '@ticket-saga/runtime/engine';
import { z } from 'zod';
import { parseDiagram, readDiagram } from './diagram.ts';
import { placesOf, playSettings } from './job-settings.ts';
import { migrateInstances } from './migrate.ts';
import { type Mapping, readMapping, Refused, sameIds } from './migrate-mapping.ts';
import { createInstanceSource } from './migrate-operate.ts';
import { planMigration } from './migrate-plan.ts';
import { obstacleTable } from './migrate-report.ts';

const help = `Moves running orders from an old version of the diagram to a new one that is deployed already.
  npm run migrate-instances -- --dry-run      lists who stands where and what cannot be migrated; touches nothing
  npm run migrate-instances                   migrates, unless something cannot be: then it touches nothing
  npm run migrate-instances -- --leave        migrates the others, and leaves on the old version what cannot be
  npm run migrate-instances -- --old <file>   without an engine: could orders of this old diagram move to bpmn/?

  --map <file>       which old id is which new id, as bpmn/migrations/*.json; ids that stay need none
  --process <id>     default ticket-order
  --from, --to <n>   versions; default: every older version that has running instances, and the newest one
  --per-second <n>   how fast, default 20

It can be stopped and run again at any time: what has moved is not moved twice. It ends with code 1 when something
failed or nothing was done.
`;

const settings = playSettings.extend({
  OPERATE_URL: z.url().optional(),
  OPERATE_PORT: z.coerce.number().int().default(8088),
  OPERATE_USER: z.string().default('techlead'),
  OPERATE_PASSWORD: z.string().default('zup@123'),
});

const say = (line: string) => void process.stdout.write(`${line}\n`);

const readOptions = () =>
  parseArgs({
    options: {
      'dry-run': { type: 'boolean', default: false },
      leave: { type: 'boolean', default: false },
      old: { type: 'string' },
      map: { type: 'string' },
      process: { type: 'string' },
      from: { type: 'string' },
      to: { type: 'string' },
      'per-second': { type: 'string', default: '20' },
      help: { type: 'boolean', short: 'h', default: false },
    },
  }).values;

type Options = ReturnType<typeof readOptions>;

function numberOf(option: string, text: string): number {
  const parsed = z.coerce.number().positive().safeParse(text);
  if (!parsed.success) throw new Refused(`${option} wants a number, not "${text}".`);
  return parsed.data;
}

async function wishedMapping(values: Options): Promise<Mapping> {
  const mapping = values.map ? await readMapping(values.map) : sameIds(values.process ?? 'ticket-order');
  if (values.process && values.process !== mapping.process)
    throw new Refused(`The mapping file is for the process ${mapping.process}, not ${values.process}.`);
  return mapping;
}

async function compare(oldFile: string, mapping: Mapping): Promise<boolean> {
  const old = await parseDiagram(oldFile, await readFile(oldFile, 'utf8'));
  const next = await readDiagram(mapping.process);
  const plan = planMigration(old, next, mapping);
  if (plan.problems.length > 0) say(`No order can be migrated:\n  ${plan.problems.join('\n  ')}`);
  say(['Orders that cannot be migrated while they stand', ...obstacleTable(old, plan)].join('\n'));
  if (plan.notes.length > 0) say(`To know:\n  ${plan.notes.join('\n  ')}`);
  return plan.problems.length === 0;
}

async function migrate(values: Options, mapping: Mapping): Promise<boolean> {
  const config = readConfigOrExit(settings);
  const engine = createEngine(placesOf(config).engine);
  const url = config.OPERATE_URL ?? `http://127.0.0.1:${config.OPERATE_PORT}`;
  const source = createInstanceSource({ ...config, OPERATE_URL: url });
  await source.versions(mapping.process).catch((cause: unknown) => {
    throw new Refused(
      `Operate at ${url} does not answer: it is asked where the orders stand. Start it with npm start.`,
      {
        cause,
      },
    );
  });
  return migrateInstances(
    { source, engine, say },
    {
      mapping,
      from: values.from === undefined ? undefined : numberOf('--from', values.from),
      to: values.to === undefined ? undefined : numberOf('--to', values.to),
      dryRun: values['dry-run'],
      leave: values.leave,
      perSecond: numberOf('--per-second', values['per-second']),
    },
  );
}

let ok = false;
try {
  const values = readOptions();
  if (values.help) say(help);
  else {
    const mapping = await wishedMapping(values);
    ok = values.old ? await compare(values.old, mapping) : await migrate(values, mapping);
  }
  ok ||= values.help;
} catch (error) {
  say(
    error instanceof Refused ? error.message : `It failed: ${error instanceof Error ? error.message : String(error)}`,
  );
}
// The engine's client keeps the process alive for ten seconds when it never reached the engine.
process.exit(ok ? 0 : 1);
