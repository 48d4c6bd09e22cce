/** The parts of `npm start`, built for no machine: they are asked what they would do, and never started. */
import { mkdirSync, mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll } from '@jest/globals';
import { artifacts } from '@ticket-saga/platform/artifacts';
import { camundaPart } from '@ticket-saga/platform/camunda';
import { kafkaPart } from '@ticket-saga/platform/kafka';
import { migratePart } from '@ticket-saga/platform/migrate';
import { opensearchPart } from '@ticket-saga/platform/opensearch';
import { operatePart } from '@ticket-saga/platform/operate';
import type { Part, PartContext } from '@ticket-saga/platform/part';
import { postgresPart } from '@ticket-saga/platform/postgres';
import { servicePart, services } from '@ticket-saga/platform/services';
import { portDefaults } from '@ticket-saga/platform/settings';
import { root } from './compose.ts';

/** Call it outside of tests. With a cache that seems to hold every download, so that preparing a part writes its settings and fetches nothing. */
export function platformContext(): PartContext {
  const scratch = mkdtempSync(join(tmpdir(), 'ticket-saga-compose-'));
  afterAll(() => rmSync(scratch, { recursive: true }));
  const cacheDir = join(scratch, 'cache');
  for (const { directory } of Object.values(artifacts)) mkdirSync(join(cacheDir, directory), { recursive: true });
  return {
    root,
    cacheDir,
    dataDir: join(scratch, 'data'),
    ports: portDefaults,
    env: {},
    serviceEnv: {},
    jdk: () => Promise.reject(new Error('No part is started here.')),
    engine: { exporter: 'opensearch', clock: 'system' },
    durable: true,
  };
}

export function platformParts(context: PartContext): Part[] {
  return [
    postgresPart(context),
    kafkaPart(context),
    opensearchPart(context),
    camundaPart(context),
    operatePart(context),
    migratePart(context),
    ...services.map((service) => servicePart(service, context)),
  ];
}
