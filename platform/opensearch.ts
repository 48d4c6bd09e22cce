import { mkdir, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { artifacts, fetchArtifact } from './artifacts.ts';
import { answers } from './http.ts';
import { jvmFlags } from './jdk.ts';
import type { PartContext, ServerPart } from './part.ts';

/** What Operate stores in, and what the broker's exporter writes to. */
export function opensearchPart(context: PartContext): ServerPart {
  const { dataDir, ports } = context;
  const home = join(dataDir, 'opensearch');
  let lib = '';
  return {
    kind: 'server',
    name: 'opensearch',
    title: artifacts.opensearch.title,
    needs: [],
    ports: ['OPENSEARCH_PORT', 'OPENSEARCH_TRANSPORT_PORT'],
    prepare: async (note, signal) => {
      lib = await fetchArtifact(artifacts.opensearch, context, note, signal);
      const config = join(home, 'node_1', 'config');
      await mkdir(config, { recursive: true });
      await writeFile(join(config, 'opensearch.yml'), JSON.stringify(settings(ports.OPENSEARCH_TRANSPORT_PORT)));
      await writeFile(join(config, 'log4j2.properties'), log4j);
    },
    command: async () => {
      const jdk = await context.jdk();
      return {
        file: jdk.java,
        cwd: home,
        env: context.env,
        args: [
          jvm,
          jvmFlags(jdk),
          ['-cp', `${lib}/*`, 'org.codelibs.opensearch.runner.OpenSearchRunner'],
          ['-basePath', home, '-numOfNode', '1', '-clusterName', 'local'],
          // The runner numbers its nodes from 1 and adds that to the base.
          ['-baseHttpPort', String(ports.OPENSEARCH_PORT - 1)],
        ].flat(),
      };
    },
    ready: (signal) =>
      answers(`http://127.0.0.1:${ports.OPENSEARCH_PORT}/_cluster/health?wait_for_status=yellow&timeout=1s`, signal),
    readyWithinSeconds: 120,
    stopSignal: 'SIGTERM',
    stopWithinSeconds: 15,
  };
}

/** C1 only: starts in half the time, which counts more here than the last bit of indexing speed. */
const jvm = ['-Xms256m', '-Xmx512m', '-XX:+UseSerialGC', '-XX:TieredStopAtLevel=1', '-XX:+ExitOnOutOfMemoryError'];

const settings = (transportPort: number) => ({
  'transport.port': transportPort,
  'network.host': '127.0.0.1',
  'discovery.type': 'single-node',
  // Else a disk that is 95 % full makes every index read-only, however much that leaves.
  'cluster.routing.allocation.disk.threshold_enabled': false,
});

/** To standard output, which is the part's log file; the runner's own copy would write several more. */
const log4j = `status = error
appender.console.type = Console
appender.console.name = console
appender.console.layout.type = PatternLayout
appender.console.layout.pattern = %d{ISO8601} %-5p %c{1.} %m%n
rootLogger.level = warn
rootLogger.appenderRef.console.ref = console
`;
