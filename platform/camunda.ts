import { mkdir, rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { artifacts, fetchArtifact } from './artifacts.ts';
import { answers } from './http.ts';
import { jvmFlags, type Jdk } from './jdk.ts';
import type { PartContext, ServerPart } from './part.ts';
import { urlsOf } from './settings.ts';

/** The index prefix that exporter and Operate must agree on. */
export const recordPrefix = 'zeebe-record';

/** The Zeebe broker with its gateway, alone: Operate is a process of its own, so that neither takes the other down. */
export function camundaPart(context: PartContext): ServerPart {
  const { dataDir, ports } = context;
  const home = join(dataDir, 'camunda');
  let distribution = '';
  return {
    kind: 'server',
    name: 'camunda',
    title: artifacts.camunda.title,
    needs: [],
    // The exporter waits for it by itself.
    uses: ['opensearch'],
    ports: ['ZEEBE_GRPC_PORT', 'ZEEBE_COMMAND_PORT', 'ZEEBE_INTERNAL_PORT', 'ZEEBE_HTTP_PORT', 'ZEEBE_MANAGEMENT_PORT'],
    prepare: async (note, signal) => {
      distribution = await fetchArtifact(artifacts.camunda, context, note, signal);
      await writeConfig(home, brokerConfig(context, home));
    },
    command: async () => {
      const clock = context.engine.clock === 'controlled' ? { ZEEBE_CLOCK_CONTROLLED: 'true' } : {};
      const heap = ['-Xms256m', '-Xmx640m', '-XX:MaxDirectMemorySize=256m'];
      // C1 only halves the work of starting (9 against 17 s of processor time); what lasts wants the faster code.
      const jvm = context.durable ? heap : [...heap, '-XX:TieredStopAtLevel=1'];
      const jdk = await context.jdk();
      return {
        file: jdk.java,
        cwd: home,
        env: { ...context.env, ...clock },
        args: camundaArgs({ jdk, distribution, home, jvm, main: 'io.camunda.application.StandaloneBroker' }),
      };
    },
    ready: (signal) => answers(`${urlsOf(ports).zeebeManagement}/actuator/health/status`, signal),
    readyWithinSeconds: 400,
    stopSignal: 'SIGTERM',
    stopWithinSeconds: 20,
  };
}

/** What the distribution's own start scripts do, without their log files below the shared cache. */
export function camundaArgs(options: {
  jdk: Jdk;
  distribution: string;
  home: string;
  jvm: string[];
  main: string;
}): string[] {
  const { jdk, distribution, home, jvm, main } = options;
  const config = join(home, 'config');
  return [
    jvm,
    jvmFlags(jdk),
    ['-XX:+UseSerialGC', '-XX:+ExitOnOutOfMemoryError', '-Xshare:auto', '-Dfile.encoding=UTF-8'],
    [`-Dapp.home=${home}`, `-Dbasedir=${home}`, `-Djava.io.tmpdir=${temporary(home)}`],
    [`-Dlog4j2.configurationFile=${config}/log4j2.xml`, `-Dspring.config.additional-location=file:${config}/`],
    ['-cp', `${distribution}/config:${distribution}/lib/*`, main],
  ].flat();
}

/** Its web servers never remove their directories; in the system's /tmp each start would leave four. */
const temporary = (home: string): string => join(home, 'tmp');

/** JSON is YAML too. */
export async function writeConfig(home: string, config: object): Promise<void> {
  await rm(temporary(home), { recursive: true, force: true });
  await mkdir(temporary(home), { recursive: true });
  await mkdir(join(home, 'config'), { recursive: true });
  await writeFile(join(home, 'config', 'application.yaml'), JSON.stringify(config, null, 2));
  await writeFile(join(home, 'config', 'log4j2.xml'), log4j);
}

function brokerConfig({ ports, engine }: PartContext, home: string): object {
  return {
    server: { address: '127.0.0.1', port: ports.ZEEBE_HTTP_PORT },
    management: { server: { address: '127.0.0.1', port: ports.ZEEBE_MANAGEMENT_PORT } },
    zeebe: {
      broker: {
        gateway: { enable: true, network: { host: '127.0.0.1', port: ports.ZEEBE_GRPC_PORT } },
        network: {
          host: '127.0.0.1',
          commandApi: { port: ports.ZEEBE_COMMAND_PORT },
          internalApi: { port: ports.ZEEBE_INTERNAL_PORT },
        },
        data: {
          directory: join(home, 'data'),
          logSegmentSize: '32MB',
          snapshotPeriod: '5m',
          disk: { freeSpace: { processing: '512MB', replication: '256MB' } },
        },
        cluster: { clusterSize: 1, partitionsCount: 1, replicationFactor: 1 },
        // The engine refuses requests (RESOURCE_EXHAUSTED) above a limit that falls with each answer slower than this: at the
        // standard 200 ms, down to 1, a busy laptop comes to a crawl of one request at a time.
        backpressure: { aimd: { requestTimeout: '1s', minLimit: 32 } },
        // Engine 8.6.0 can lose a timer, a job's time-out or back-off until its next start, when it notes the command that it
        // has just written after that was processed (camunda/camunda#29735): with the checks in the actor that processes
        // it notes first.
        processing: { enableAsyncScheduledTasks: false },
        threads: { cpuThreadCount: 2, ioThreadCount: 2 },
        experimental: { rocksdb: { memoryLimit: '64MB' } },
        exporters: exporters(engine.exporter, ports.OPENSEARCH_PORT),
      },
    },
  };
}

function exporters(kind: PartContext['engine']['exporter'], opensearchPort: number): object {
  switch (kind) {
    case 'none':
      return {};
    case 'log':
      return {
        log: {
          className: 'io.camunda.zeebe.broker.exporter.debug.DebugLogExporter',
          args: { logLevel: 'info', prettyPrint: false },
        },
      };
    case 'opensearch':
      return {
        opensearch: {
          className: 'io.camunda.zeebe.exporter.opensearch.OpensearchExporter',
          args: {
            url: `http://127.0.0.1:${opensearchPort}`,
            bulk: { delay: 1, size: 1000 },
            // Neither commands nor rejections (the default): a rejection sends Operate's importer into an endless error.
            index: { prefix: recordPrefix, createTemplate: true, numberOfShards: 1, numberOfReplicas: 0 },
          },
        },
      };
  }
}

const log4j = `<?xml version="1.0" encoding="UTF-8"?>
<Configuration status="WARN" shutdownHook="disable">
  <Appenders>
    <Console name="Console" target="SYSTEM_OUT"><PatternLayout pattern="%d{yyyy-MM-dd HH:mm:ss.SSS} %-5level %logger{36} - %msg%n"/></Console>
  </Appenders>
  <Loggers>
    <Logger name="io.camunda" level="info"/>
    <Root level="warn"><AppenderRef ref="Console"/></Root>
  </Loggers>
</Configuration>
`;
