/**
 * The files in `bpmn/` are the truth: they are deployed at start, and the engine makes a new version of what changed.
 * A version that came from elsewhere (Modeler, another checkout) is replaced, and the log says so.
 */
import { createHash } from 'node:crypto';
import { readdirSync, readFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { untilDone } from '@ticket-saga/runtime/backoff';
import { errorFields } from '@ticket-saga/runtime/logger';
import type { Service } from '@ticket-saga/runtime/service';
import type { OrchestratorParts } from './parts.ts';

const here = dirname(fileURLToPath(import.meta.url));
/** Compiled files live in `dist/`, one folder deeper than their sources. */
export const diagramFolder = join(here, here.endsWith('dist') ? '../..' : '..', 'bpmn');
const engineCheckMs = 3_000;

/** Deploys as soon as the engine answers; `/health/ready` shows `diagrams`, and `engine` for as long as it lives. */
export function keepDeployed(service: Service, parts: OrchestratorParts): void {
  const stop = new AbortController();
  const diagrams = service.health.part('diagrams');
  const engine = service.health.part('engine', service.health.stalledAfterMs);
  const ask = () =>
    parts.engine.topology().then(
      () => engine.ok(),
      (error: unknown) => engine.failed(`the engine does not answer: ${String(error)}`),
    );
  const timer = setInterval(() => void ask(), engineCheckMs);
  void ask();
  const deployed = untilDone(
    async () => {
      await deployAll(parts);
      diagrams.ok();
    },
    (error, failures) => {
      diagrams.failed(`not deployed: ${String(error)}`);
      service.logger.warn('diagrams: trying again', { failures, ...errorFields(error) });
    },
    stop.signal,
  );
  service.onStop('deployment', async () => {
    clearInterval(timer);
    stop.abort();
    await deployed;
  });
}

async function deployAll({ db, engine, logger }: OrchestratorParts): Promise<void> {
  for (const file of readdirSync(diagramFolder).filter((name) => name.endsWith('.bpmn'))) {
    const content = readFileSync(join(diagramFolder, file));
    const checksum = createHash('sha256').update(content).digest('hex');
    for (const { bpmnProcessId, version } of await engine.deploy(file, content)) {
      const [before] = await db.deployment.findMany({
        where: { processId: bpmnProcessId },
        orderBy: { version: 'desc' },
        take: 1,
      });
      if (before && version > before.version + 1) {
        logger.warn('a version of the process came from elsewhere and is replaced by the file', {
          processId: bpmnProcessId,
          foreignVersion: version - 1,
          version,
        });
      }
      await db.deployment.createMany({
        data: { processId: bpmnProcessId, version, checksum, file },
        skipDuplicates: true,
      });
      logger.info('diagram deployed', {
        file,
        processId: bpmnProcessId,
        version,
        changed: version !== before?.version,
      });
    }
  }
}
