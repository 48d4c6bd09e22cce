/** Migrates the running instances of a process: lists first what cannot be, touches nothing until that is settled. */
import type { Engine } from '@ticket-saga/runtime/engine';
import { type Diagram, parseDiagram } from './diagram.ts';
import { checksum, isVersion, type Mapping, Refused } from './migrate-mapping.ts';
import type { Deployed, InstanceSource, Standing } from './migrate-operate.ts';
import { type Plan, planMigration } from './migrate-plan.ts';
import { type Left, leftTable, outcomeTable, sortOut, standingTable } from './migrate-report.ts';
import { migrateAll, type Outcome } from './migrate-run.ts';

export type Wish = {
  mapping: Mapping;
  /** Version numbers; default: every older version that has instances, and the newest. */
  from?: number | undefined;
  to?: number | undefined;
  dryRun: boolean;
  /** Migrate the others although some cannot be. */
  leave: boolean;
  perSecond: number;
};

type Parts = {
  source: InstanceSource;
  engine: Pick<Engine, 'migrateProcessInstance'>;
  say: (line: string) => void;
  waitMs?: number;
};

/** The instances of one old version, and what can be done with them. */
type Batch = { plan: Plan; old: Diagram; label: string; movable: Standing[]; left: Left[]; instances: Standing[] };

/** Resolves with whether all went as wished. @throws Refused when nothing may be touched */
export async function migrateInstances(parts: Parts, wish: Wish): Promise<boolean> {
  const { source, say } = parts;
  const { process } = wish.mapping;
  const versions = await source.versions(process);
  const target = versions.find(({ version }) => version === (wish.to ?? versions.at(-1)?.version));
  if (!target) throw new Refused(`The engine has no ${wish.to ? `version ${wish.to} of ` : ''}process ${process}.`);
  const next = await readVersion(source, process, target);
  if (!isVersion(wish.mapping.to, next))
    throw new Refused(`The mapping file leads to ${wish.mapping.to}; ${labelOf(next)} is another.`);

  const batches = await Promise.all(
    versions
      .filter(({ version }) => (wish.from === undefined ? version < target.version : version === wish.from))
      .map(async (deployed) => batchOf(parts, wish.mapping, deployed, next)),
  );
  const found = batches.filter((batch) => batch !== undefined);
  say(`Process ${process}, to ${labelOf(next)}. Operate tells where instances stand, some seconds late.`);
  const orderOf = await orderIds(
    source,
    found.flatMap(({ left }) => left.map(({ key }) => key)),
  );
  for (const batch of found) tell(batch, orderOf, say);
  const all = found.flatMap((batch) => batch.movable.map(({ key }) => ({ key, plan: batch.plan })));
  const left = found.flatMap((batch) => batch.left);
  if (all.length + left.length === 0)
    say('There is nothing to migrate: no instance runs on an older version that is meant.');
  if (found.some(({ plan }) => plan.problems.length > 0)) throw new Refused('Nothing was touched.');
  if (wish.dryRun || all.length + left.length === 0) return true;
  if (left.length > 0 && !wish.leave)
    throw new Refused(
      `Nothing was touched. Run it again when those have moved on, or with --leave to migrate the other ${all.length}.`,
    );

  const outcomes: Outcome[] = [];
  try {
    for (const { plan, movable } of found)
      await migrateAll({
        ...parts,
        instances: movable.map(({ key }) => key),
        target: { processDefinitionKey: target.processDefinitionKey, elements: plan.elements },
        perSecond: wish.perSecond,
        onProgress: (done) => {
          outcomes.push(done);
          if (outcomes.length % 10 === 0 || outcomes.length === all.length)
            say(`… ${outcomes.length} of ${all.length}`);
        },
      });
  } catch (cause) {
    for (const line of outcomeTable(outcomes, left, orderOf)) say(line);
    throw new Refused(
      `The engine stopped answering after ${outcomes.length} of ${all.length}; run it again to go on with the rest.`,
      { cause },
    );
  }
  const failed = outcomes.filter(({ result }) => result === 'failed').map(({ key }) => key);
  const failedOrders = await orderIds(source, failed);
  for (const line of outcomeTable(outcomes, left, (key) => orderOf(key) ?? failedOrders(key))) say(line);
  return failed.length === 0;
}

type Read = { version: number; xml: string; diagram: Diagram };

const labelOf = ({ version, xml }: Read) => `version ${version} (${checksum(xml).slice(0, 12)})`;

async function readVersion(source: InstanceSource, process: string, deployed: Deployed): Promise<Read> {
  const xml = await source.diagram(deployed);
  return { version: deployed.version, xml, diagram: await parseDiagram(`${process} version ${deployed.version}`, xml) };
}

/** Undefined when nothing runs on this version, or it is not the one of the mapping file. */
async function batchOf(
  { source, say }: Parts,
  mapping: Mapping,
  deployed: Deployed,
  next: Read,
): Promise<Batch | undefined> {
  const instances = await source.running(deployed);
  if (instances.length === 0) return undefined;
  const old = await readVersion(source, mapping.process, deployed);
  if (!isVersion(mapping.from, old)) {
    say(`${instances.length} run on ${labelOf(old)}; the mapping file is for ${mapping.from}: they are left alone.`);
    return undefined;
  }
  const plan = planMigration(old.diagram, next.diagram, mapping);
  return { plan, old: old.diagram, label: labelOf(old), instances, ...sortOut(old.diagram, plan, instances) };
}

function tell(
  { plan, old, label, instances, left }: Batch,
  orderOf: (key: string) => string | undefined,
  say: Parts['say'],
) {
  say(`\n${instances.length} running on ${label}:`);
  for (const line of standingTable(old, instances)) say(line);
  if (plan.problems.length > 0) say(`None of them can be migrated:\n  ${plan.problems.join('\n  ')}`);
  if (left.length > 0) say(`Cannot be migrated:\n${leftTable(left, orderOf).join('\n')}`);
  if (plan.notes.length > 0) say(`To know:\n  ${plan.notes.join('\n  ')}`);
}

/** Only those that are named to the operator: each is a question to Operate. */
async function orderIds(source: InstanceSource, keys: readonly string[]) {
  const found = new Map<string, string | undefined>();
  for (const key of keys) found.set(key, await source.orderId(key).catch(() => undefined));
  return (key: string) => found.get(key);
}
