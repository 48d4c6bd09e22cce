/** The Camunda 8 engine (Zeebe) over gRPC: the few calls we need, each with a deadline, none that hangs for ever. */
import { ZeebeGrpcClient } from '@camunda8/sdk/dist/zeebe/index.js';
import { z } from 'zod';
import { withDeadline } from './backoff.ts';

/** gRPC status codes that mean something to us. */
export const grpc = {
  invalidArgument: 3,
  notFound: 5,
  alreadyExists: 6,
  resourceExhausted: 8,
  failedPrecondition: 9,
} as const;

/** The gRPC status of an error of the client, or undefined when it is something else. */
export function grpcCode(error: unknown): number | undefined {
  return typeof error === 'object' && error !== null && 'code' in error && typeof error.code === 'number'
    ? error.code
    : undefined;
}

export type ActivatedJob = {
  key: string;
  type: string;
  processInstanceKey: string;
  elementId: string;
  elementInstanceKey: string;
  retries: number;
  deadline: string;
  variables: unknown;
};

/** A key names its partition, from 1 on, in the bits above 51; asked about partition 0 the engine seems to be away. */
const isKey = (key: string) => /^\d{16,19}$/.test(key) && BigInt(key) >> 51n > 0n;

export type MigrationTarget = { processDefinitionKey: string; elements: Readonly<Record<string, string>> };

export type Engine = ReturnType<typeof createEngine>;

const deployedProcess = z.object({
  bpmnProcessId: z.string(),
  version: z.number(),
  processDefinitionKey: z.coerce.string(),
});

const callDeadlineMs = 10_000;
/** How long the gateway holds a poll that names no time of its own (`zeebe.gateway.longPolling.timeout`). */
const enginesWaitMs = 10_000;

/** @param address `grpc://host:port`; several gateways: `grpc://ipv4:a:port,b:port` */
export function createEngine(address: string) {
  // Without retries a call rejects when the gateway is away; with them it would hang until the gateway is back.
  const client = new ZeebeGrpcClient({
    config: {
      ZEEBE_GRPC_ADDRESS: address,
      CAMUNDA_OAUTH_DISABLED: true,
      CAMUNDA_AUTH_STRATEGY: 'NONE',
      zeebeGrpcSettings: {
        ZEEBE_GRPC_CLIENT_RETRY: false,
        ZEEBE_GRPC_CLIENT_EAGER_CONNECT: false,
        ZEEBE_CLIENT_LOG_LEVEL: 'NONE',
      },
    },
  });
  const call = <T>(what: string, work: Promise<T>) =>
    withDeadline(work, callDeadlineMs, `The engine did not answer ${what} in ${callDeadlineMs / 1000} s`);

  return {
    /**
     * Waits in the engine for jobs of `type` (long polling); resolves with [] when there are none.
     * @param leaseMs how long the jobs are ours
     * @param waitMs default: the engine's own time, 10 s. The client hangs up one second after a time that it is given,
     *   and what a busy engine hands out after that is nobody's until its lease ends: for tests only.
     */
    activateJobs: (options: {
      type: string;
      worker: string;
      most: number;
      leaseMs: number;
      waitMs?: number;
      variables: string[];
    }) =>
      withDeadline(
        client.activateJobs({
          type: options.type,
          worker: options.worker,
          maxJobsToActivate: options.most,
          timeout: options.leaseMs,
          requestTimeout: options.waitMs ?? 0,
          fetchVariable: options.variables,
        }),
        (options.waitMs ?? enginesWaitMs) + callDeadlineMs,
        'The engine did not answer the poll for jobs',
      ) as Promise<ActivatedJob[]>,
    completeJob: (jobKey: string, variables: object) =>
      call('complete', client.completeJob({ jobKey, variables: { ...variables } })),
    failJob: (jobKey: string, failure: { errorMessage: string; retries: number; retryBackOff: number }) =>
      call('fail', client.failJob({ jobKey, ...failure })),
    throwError: (
      jobKey: string,
      error: { errorCode: string; errorMessage: string; variables: Record<string, string> },
    ) => call('error', client.throwError({ jobKey, ...error })),
    /** Starts the newest version of a process. Resolves with the instance's key and the version. */
    startProcess: async (bpmnProcessId: string, variables: object) => {
      const started = await call('start', client.createProcessInstance({ bpmnProcessId, variables: { ...variables } }));
      return { processInstanceKey: String(started.processInstanceKey), version: started.version };
    },
    /**
     * Starts the newest version of a process at an element in its middle: the repair of an order whose instance is gone.
     * Output mappings on the way to the element have not run: what they set must be among the variables.
     */
    startProcessAt: async (bpmnProcessId: string, elementId: string, variables: object) => {
      const startInstructions = [{ elementId }];
      const request = { bpmnProcessId, variables: { ...variables }, startInstructions };
      return String((await call('start', client.createProcessInstance(request))).processInstanceKey);
    },
    /**
     * Whether the instance is in the engine now, also with an incident. Needs no search index: it sets no variable on it,
     * which changes nothing and is refused where there is nothing to set it on.
     */
    isAlive: async (processInstanceKey: string) => {
      if (!isKey(processInstanceKey)) return false;
      try {
        await call(
          'probe',
          client.setVariables({ elementInstanceKey: processInstanceKey, variables: {}, local: true }),
        );
        return true;
      } catch (error) {
        if (grpcCode(error) === grpc.notFound) return false;
        throw error;
      }
    },
    /** Ends the instance where it stands, as Operate's button does. One that is gone is success. */
    cancelProcess: async (processInstanceKey: string) => {
      try {
        await call('cancel', client.cancelProcessInstance(processInstanceKey));
      } catch (error) {
        if (grpcCode(error) !== grpc.notFound) throw error;
      }
    },
    /**
     * Publishes a message that waits `timeToLiveMs` for its process. The same `messageId` again, while the first one
     * lives, is success: it is there already.
     */
    publishMessage: async (message: {
      name: string;
      correlationKey: string;
      messageId: string;
      timeToLiveMs: number;
      variables: object;
    }) => {
      const { timeToLiveMs, variables, ...rest } = message;
      try {
        await call(
          'publish',
          client.publishMessage({ ...rest, timeToLive: timeToLiveMs, variables: { ...variables } }),
        );
      } catch (error) {
        if (grpcCode(error) !== grpc.alreadyExists) throw error;
      }
    },
    /** Deploys a diagram; the engine makes a new version only when the file differs from the newest. */
    deploy: async (name: string, content: Buffer) => {
      const deployed = await call('deploy', client.deployResource({ name, process: content }));
      return z
        .object({
          deployments: z.array(z.object({ process: deployedProcess })),
        })
        .parse(deployed)
        .deployments.map((deployment) => deployment.process);
    },
    /**
     * Moves a running instance to another version; every element that it stands at, and every message, timer or signal
     * it waits for, must be among `elements` (old id → new id). Rejects with code 9 when the engine cannot, with 5 when
     * the instance has ended.
     */
    migrateProcessInstance: async (processInstanceKey: string, to: MigrationTarget) => {
      const mappingInstructions = Object.entries(to.elements).map(([sourceElementId, targetElementId]) => ({
        sourceElementId,
        targetElementId,
      }));
      const migrationPlan = { targetProcessDefinitionKey: to.processDefinitionKey, mappingInstructions };
      await call('migrate', client.migrateProcessInstance({ processInstanceKey, migrationPlan }));
    },
    /**
     * Begins a step anew: its element instance is terminated, with its job and its incident, and the same element is
     * activated. Earlier steps stay done, their compensation too. It needs no search index, and the element instance is
     * the compare-and-set: rejects with code 3 when it is gone, with 5 when the whole process instance is.
     */
    restartElement: async (place: { processInstanceKey: string; elementInstanceKey: string; elementId: string }) => {
      const { processInstanceKey, elementInstanceKey, elementId } = place;
      await call(
        'modify',
        client.modifyProcessInstance({
          processInstanceKey,
          terminateInstructions: [{ elementInstanceKey }],
          activateInstructions: [{ elementId, ancestorElementInstanceKey: '-1', variableInstructions: [] }],
        }),
      );
    },
    /**
     * Solves an incident and goes on in the same element instance, with `retries` tries for its job if it has one.
     * Rejects with code 5 when the incident is gone.
     */
    resolveIncident: async (
      { incidentKey, jobKey }: { incidentKey: string; jobKey: string | null },
      retries: number,
    ) => {
      if (jobKey !== null) await call('update retries', client.updateJobRetries({ jobKey, retries }));
      await call('resolve', client.resolveIncident({ incidentKey }));
    },
    topology: () => call('topology', client.topology()),
    close: async () => {
      await withDeadline(client.close(500), 1_000, 'close').catch(() => undefined);
    },
  };
}
