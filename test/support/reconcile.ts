/** The reconciliation of the running shop, as an operator runs it. */
import { execFile } from 'node:child_process';
import { expect } from '@jest/globals';
import { repositoryRoot } from '@ticket-saga/platform/settings';
import { createEngine, type Engine } from '@ticket-saga/runtime/engine';
import { z } from 'zod';
import { eventually } from './eventually.ts';
import { query, shop } from './system.ts';

const report = z.object({
  state: z.string(),
  notes: z.array(z.string()),
  counts: z.record(z.string(), z.number()),
  mismatches: z.array(
    z.looseObject({
      kind: z.string(),
      subject: z.string(),
      orderId: z.string().nullable(),
      outcome: z.string().nullable(),
    }),
  ),
});

/** As an operator runs it; other tests leave mismatches behind, so only those of `subjects`, and of orders among them. */
export async function reconcile(subjects: string[], ...options: string[]) {
  const { code, stdout } = await eventually(
    'a run of the reconciliation ends (another may be running)',
    async () => {
      const run = await command(['--json', '--reason', 'a test', ...options]);
      if (run.code >= 2) throw new Error(run.stderr);
      return run;
    },
    { withinMs: 120_000, everyMs: 1_000 },
  );
  const { mismatches, ...ended } = report.parse(JSON.parse(stdout));
  expect(ended).toMatchObject({ state: 'DONE', notes: [] });
  return { code, mismatches: mismatches.filter((one) => subjects.includes(one.orderId ?? one.subject)) };
}

export function command(args: string[]): Promise<{ code: number; stdout: string; stderr: string }> {
  return new Promise((resolve) => {
    execFile(
      process.execPath,
      ['tools/dist/reconcile.js', ...args],
      { cwd: repositoryRoot() },
      (error, stdout, stderr) => resolve({ code: error === null ? 0 : Number(error.code ?? 2), stdout, stderr }),
    );
  });
}

/** As Operate's button does. */
export async function cancelInstance(processInstanceKey: string): Promise<void> {
  await onEngine((engine) => engine.cancelProcess(processInstanceKey));
}

export async function onEngine<T>(work: (engine: Engine) => Promise<T>): Promise<T> {
  const engine = createEngine(shop.urls.zeebe);
  try {
    return await work(engine);
  } finally {
    await engine.close();
  }
}

/** What changed within a second is left for the next run. */
export const settled = (id: string) =>
  eventually(
    'nothing has changed on the order for a moment',
    async () =>
      (await query(`select from orders.purchase where id = $1 and updated_at < now() - interval '2 s'`, [id])).length >
      0,
    { withinMs: 60_000 },
  );
