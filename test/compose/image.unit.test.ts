import { existsSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, test } from '@jest/globals';
import { services, servicePart } from '@ticket-saga/platform/services';
import { z } from 'zod';
import { compose, root } from './compose.ts';
import { platformContext } from './parts.ts';

const dockerfile = readFileSync(join(root, 'deploy', 'Dockerfile'), 'utf8');
const rooms = /^ARG ROOMS="(.*)"$/m.exec(dockerfile)?.[1]?.split(' ') ?? [];
const finalStage = dockerfile.slice(dockerfile.lastIndexOf('\nFROM '));

const packageOf = (room: string) =>
  z
    .object({ dependencies: z.record(z.string(), z.string()).default({}) })
    .parse(JSON.parse(readFileSync(join(root, room, 'package.json'), 'utf8')));

/** The workspaces of this house that a room imports, and itself. */
function withImports(room: string): string[] {
  const house = Object.keys(packageOf(room).dependencies).filter((name) => name.startsWith('@ticket-saga/'));
  return [room, ...house.flatMap((name) => withImports(name.replace('@ticket-saga/', '')))];
}

const context = platformContext();
const ours = Object.entries(compose.services).filter(([, { build }]) => build);

describe('the image', () => {
  test('it holds the rooms that the commands need, and no other', () => {
    const started = ours.map(([, { command }]) => command[0]?.split('/')[0] ?? '');
    expect(rooms.toSorted()).toEqual([...new Set(started.flatMap(withImports))].toSorted());
  });

  test.each(ours)('the command of %s is a file that the build writes', (_name, { command }) => {
    expect(command).toHaveLength(1);
    const source = command[0]?.replace('/dist/', '/').replace(/\.js$/, '.ts') ?? '';
    expect(existsSync(join(root, source))).toBe(true);
  });

  test.each(services)('$name runs as in npm start', async (service) => {
    const { args } = await servicePart(service, context).command();
    const entrypoint = z.array(z.string()).parse(JSON.parse(/^ENTRYPOINT (.*)$/m.exec(dockerfile)?.[1] ?? '[]'));
    expect([...entrypoint, ...(compose.services[service.name]?.command ?? [])]).toEqual(['node', ...args]);
  });

  test('its Node is one that the packages allow, and the same in every stage', () => {
    const { engines } = z
      .object({ engines: z.object({ node: z.string() }) })
      .parse(JSON.parse(readFileSync(join(root, 'package.json'), 'utf8')));
    const [, major, minor] = /^ARG NODE_IMAGE=node:(\d+)\.(\d+)\.\d+-/m.exec(dockerfile)?.map(Number) ?? [];
    const [, lowestMajor = 0, lowestMinor = 0] = /^>=(\d+)\.(\d+)$/.exec(engines.node)?.map(Number) ?? [];
    expect(major).toBe(lowestMajor);
    expect(minor).toBeGreaterThanOrEqual(lowestMinor);
    const bases = [...dockerfile.matchAll(/^FROM (\S+)/gm)].map(([, base]) => base);
    expect(new Set(bases)).toEqual(new Set(['${NODE_IMAGE}']));
  });

  test('what runs is without development packages and not root', () => {
    expect(finalStage).toMatch(/^USER node$/m);
    expect(finalStage).not.toMatch(/^RUN /m);
    expect(finalStage).toContain('COPY --from=dependencies /app/node_modules ./node_modules');
    expect(dockerfile).toMatch(/npm ci --omit=dev .*\\\n.*--workspace/);
  });
});
