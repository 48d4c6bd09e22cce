import { join } from 'node:path';
import { artifacts, fetchArtifact } from './artifacts.ts';
import { camundaArgs, recordPrefix, writeConfig } from './camunda.ts';
import { answers } from './http.ts';
import type { PartContext, ServerPart } from './part.ts';
import { versions } from './versions.ts';

export const operateLogin = { user: 'techlead', password: 'zup@123' };

/** Camunda Operate, in a process of its own that gives way to everything else. */
export function operatePart(context: PartContext): ServerPart {
  const { dataDir, ports } = context;
  const home = join(dataDir, 'operate');
  let distribution = '';
  return {
    kind: 'server',
    name: 'operate',
    title: `Operate ${versions.camunda}`,
    needs: ['opensearch'],
    uses: ['camunda'],
    ports: ['OPERATE_PORT', 'OPERATE_MANAGEMENT_PORT', 'OPERATE_CLUSTER_PORT'],
    prepare: async (note, signal) => {
      distribution = await fetchArtifact(artifacts.camunda, context, note, signal);
      await writeConfig(home, config(context));
    },
    command: async () => {
      const jdk = await context.jdk();
      // C1 only: it halves the work of starting, and Operate has no hot loop that would miss the other compiler.
      const jvm = ['-Xms128m', '-Xmx512m', '-XX:TieredStopAtLevel=1'];
      const main = 'io.camunda.application.StandaloneOperate';
      return {
        file: 'nice',
        cwd: home,
        env: context.env,
        args: ['-n', '15', jdk.java, ...camundaArgs({ jdk, distribution, home, jvm, main })],
      };
    },
    ready: (signal) => answers(`http://127.0.0.1:${ports.OPERATE_MANAGEMENT_PORT}/actuator/health/readiness`, signal),
    readyWithinSeconds: 240,
    stopSignal: 'SIGTERM',
    // It keeps nothing that OpenSearch does not have.
    stopWithinSeconds: 5,
  };
}

function config({ ports }: PartContext): object {
  const search = { clusterName: 'local', url: `http://127.0.0.1:${ports.OPENSEARCH_PORT}` };
  return {
    server: { address: '127.0.0.1', port: ports.OPERATE_PORT },
    management: { server: { address: '127.0.0.1', port: ports.OPERATE_MANAGEMENT_PORT } },
    // Operate joins the engine as a gateway does; left alone, that listens on port 26502 of all interfaces.
    zeebe: { gateway: { cluster: { host: '127.0.0.1', port: ports.OPERATE_CLUSTER_PORT } } },
    camunda: {
      database: { type: 'opensearch', ...search },
      operate: {
        userId: operateLogin.user,
        displayName: 'Tech Lead',
        password: operateLogin.password,
        roles: ['OWNER'],
        // Loopback only; with it, API calls with the login cookie get 403.
        csrfPreventionEnabled: false,
        database: 'opensearch',
        opensearch: { ...search, numberOfShards: 1 },
        zeebeOpensearch: { ...search, prefix: recordPrefix },
        zeebe: { gatewayAddress: `127.0.0.1:${ports.ZEEBE_GRPC_PORT}` },
        importer: { readerBackoff: 1000, schedulerBackoff: 1000, threadsCount: 1, readerThreadsCount: 1 },
      },
    },
  };
}
