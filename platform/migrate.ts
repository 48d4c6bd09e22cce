import { join } from 'node:path';
import type { PartContext, StepPart } from './part.ts';

/** Brings the database's schemas up to date and puts in the seed rows that are missing. */
export function migratePart(context: PartContext): StepPart {
  return {
    kind: 'step',
    name: 'migrate',
    title: 'Migrations and seed',
    needs: ['postgres'],
    ports: [],
    commands: async () => [
      {
        file: process.execPath,
        args: ['--enable-source-maps', join('prisma', 'dist', 'migrate-main.js')],
        env: context.serviceEnv,
        cwd: context.root,
      },
    ],
  };
}
