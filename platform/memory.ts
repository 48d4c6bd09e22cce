import { readdirSync, readFileSync } from 'node:fs';
import { basename, join } from 'node:path';
import { z } from 'zod';
import { readSettings } from './settings.ts';

/** `node platform/dist/memory.js`: what each running part holds, with its children; shared pages are divided (PSS). */
const runDir = join(readSettings(process.env).dataDir, 'run');

/** Sums over everything in the same session or below it: PostgreSQL's processes leave their parent's group. */
function familyOf(pid: number): number[] {
  const children = readFileSync(`/proc/${pid}/task/${pid}/children`, 'utf8').split(' ').filter(Boolean).map(Number);
  return [pid, ...children.flatMap(familyOf)];
}

function pssMb(pid: number): number {
  const rollup = readFileSync(`/proc/${pid}/smaps_rollup`, 'utf8');
  return Number(/^Pss:\s+(\d+)/m.exec(rollup)?.[1] ?? 0) / 1024;
}

let total = 0;
for (const file of readdirSync(runDir)) {
  const { pid } = z.object({ pid: z.number() }).parse(JSON.parse(readFileSync(join(runDir, file), 'utf8')));
  // The supervisor's children are the parts themselves.
  const family = file === 'supervisor.pid' ? [pid] : familyOf(pid);
  const mb = family.reduce((sum, member) => sum + pssMb(member), 0);
  total += mb;
  process.stdout.write(
    `${basename(file)
      .replace(/\.\w+$/, '')
      .padEnd(20)}${mb.toFixed(0).padStart(6)} MB\n`,
  );
}
process.stdout.write(`${'all'.padEnd(20)}${total.toFixed(0).padStart(6)} MB\n`);
