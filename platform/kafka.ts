import { randomBytes } from 'node:crypto';
import { access, mkdir, rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { Kafka, logLevel } from 'kafkajs';
import { artifacts, fetchArtifact } from './artifacts.ts';
import { PlatformError } from './errors.ts';
import { jvmFlags } from './jdk.ts';
import { lastLines } from './logs.ts';
import type { Command, PartContext, ServerPart } from './part.ts';
import { runToEnd } from './processes.ts';
import type { Ports } from './settings.ts';

/** One node that is broker and controller (KRaft). */
export function kafkaPart(context: PartContext): ServerPart {
  const { dataDir, ports } = context;
  const home = join(dataDir, 'kafka');
  const config = join(home, 'server.properties');
  const data = join(home, 'data');
  let lib = '';

  const java = async (args: string[]): Promise<Command> => {
    const jdk = await context.jdk();
    // C1 only: starts in half the time, and a laptop's few messages do not miss the other compiler.
    const flags = [
      '-Xms64m',
      '-Xmx256m',
      '-XX:+UseSerialGC',
      '-XX:TieredStopAtLevel=1',
      '-XX:+ExitOnOutOfMemoryError',
      ...jvmFlags(jdk),
    ];
    const logging = ['org.slf4j.simpleLogger.defaultLogLevel=warn', 'org.slf4j.simpleLogger.showDateTime=true'];
    const properties = [...logging, 'java.awt.headless=true'].map((property) => `-D${property}`);
    return { file: jdk.java, cwd: home, env: context.env, args: [...flags, ...properties, '-cp', `${lib}/*`, ...args] };
  };

  return {
    kind: 'server',
    name: 'kafka',
    title: artifacts.kafka.title,
    needs: [],
    ports: ['KAFKA_PORT', 'KAFKA_CONTROLLER_PORT'],
    prepare: async (note, signal) => {
      lib = await fetchArtifact(artifacts.kafka, context, note, signal);
      await mkdir(home, { recursive: true });
      await writeFile(config, toProperties(kafkaProperties(ports, data)));
      if (
        await access(join(data, 'meta.properties')).then(
          () => true,
          () => false,
        )
      )
        return;
      note('creating the log directory');
      await rm(data, { recursive: true, force: true });
      // 128 bits; starts with "A", because an id that starts with "-" would be read as an option.
      const clusterId = Buffer.concat([Buffer.from([0]), randomBytes(15)]).toString('base64url');
      const log = join(dataDir, 'logs', 'kafka.log');
      const format = await java(['kafka.tools.StorageTool', 'format', '-t', clusterId, '-c', config]);
      await runToEnd(
        format,
        log,
        signal,
        async (how) =>
          new PlatformError(`Kafka could not create its log directory (${how}):\n${(await lastLines(log)).join('\n')}`),
      );
    },
    command: () => java(['kafka.Kafka', config]),
    ready: async () => {
      const kafka = new Kafka({
        brokers: [`127.0.0.1:${ports.KAFKA_PORT}`],
        logLevel: logLevel.NOTHING,
        retry: { retries: 0 },
        connectionTimeout: 2_000,
      });
      const admin = kafka.admin();
      try {
        await admin.connect();
        const { brokers, controller } = await admin.describeCluster();
        return brokers.length > 0 && controller !== null;
      } finally {
        await admin.disconnect();
      }
    },
    readyWithinSeconds: 90,
    stopSignal: 'SIGTERM',
    stopWithinSeconds: 15,
  };
}

const thirtyDaysInHours = 30 * 24;

export function kafkaProperties(ports: Ports, data: string): Record<string, string | number> {
  return {
    'process.roles': 'broker,controller',
    'node.id': 1,
    'controller.quorum.voters': `1@127.0.0.1:${ports.KAFKA_CONTROLLER_PORT}`,
    listeners: `PLAINTEXT://127.0.0.1:${ports.KAFKA_PORT},CONTROLLER://127.0.0.1:${ports.KAFKA_CONTROLLER_PORT}`,
    'advertised.listeners': `PLAINTEXT://127.0.0.1:${ports.KAFKA_PORT}`,
    'controller.listener.names': 'CONTROLLER',
    'inter.broker.listener.name': 'PLAINTEXT',
    'log.dirs': data,
    // Services create their topics with the partitions and retention they want; a typo must not make one.
    'auto.create.topics.enable': 'false',
    'group.initial.rebalance.delay.ms': 0,
    'offsets.topic.replication.factor': 1,
    'offsets.topic.num.partitions': 4,
    'transaction.state.log.replication.factor': 1,
    'transaction.state.log.min.isr': 1,
    'transaction.state.log.num.partitions': 4,
    'share.coordinator.state.topic.replication.factor': 1,
    'share.coordinator.state.topic.min.isr': 1,
    // A laptop may be off for weeks: neither an event that nobody has read nor a reader's place may be gone after that.
    'log.retention.hours': thirtyDaysInHours,
    'offsets.retention.minutes': thirtyDaysInHours * 60,
    'log.segment.bytes': 64 * 1024 ** 2,
    // 128 MB by default, half of the heap.
    'log.cleaner.dedupe.buffer.size': 8 * 1024 ** 2,
    'log.cleaner.threads': 1,
    'num.network.threads': 2,
    'num.io.threads': 4,
    'background.threads': 4,
  };
}

const toProperties = (entries: Record<string, string | number>): string =>
  Object.entries(entries)
    .map(([name, value]) => `${name}=${value}\n`)
    .join('');
