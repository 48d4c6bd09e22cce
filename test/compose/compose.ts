/** docker-compose.yml as docker reads it: merged, with the variables' defaults put in. */
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { repositoryRoot } from '@ticket-saga/platform/settings';
import { parse } from 'yaml';
import { z } from 'zod';

export const root = repositoryRoot();

const text = z.union([z.string(), z.number().transform(String)]);

const containerSchema = z.object({
  image: z.string(),
  build: z.object({ context: z.string(), dockerfile: z.string() }).optional(),
  command: z.array(z.string()).default([]),
  environment: z.record(z.string(), text.nullable()),
  ports: z.array(z.string()).default([]),
  volumes: z.array(z.string()).default([]),
  depends_on: z.record(z.string(), z.object({ condition: z.string() })).default({}),
  healthcheck: z.object({ test: z.array(z.string()) }).optional(),
  restart: z.string(),
});

export type Container = z.infer<typeof containerSchema>;

const fileSchema = z.object({
  services: z.record(z.string(), containerSchema),
  volumes: z.record(z.string(), z.null()),
});

/** The file with `<<` merged and nothing else done to it. */
export function readCompose(path = join(root, 'docker-compose.yml')): unknown {
  return parse(readFileSync(path, 'utf8'), { merge: true });
}

/** Puts the defaults of `${NAME:-default}` in, everywhere. Throws for any other form: this file has none. */
export function withDefaults(value: unknown): unknown {
  if (typeof value === 'string') {
    return value.replaceAll(/\$\$|\$\{(?<name>\w+):-(?<fallback>[^}]*)\}|\$/g, (found, _name, fallback?: string) => {
      if (found === '$$') return '$';
      if (fallback === undefined) throw new Error(`A variable without a default: ${value}`);
      return fallback;
    });
  }
  if (Array.isArray(value)) return value.map(withDefaults);
  if (typeof value !== 'object' || value === null) return value;
  return Object.fromEntries(Object.entries(value).map(([name, inner]) => [name, withDefaults(inner)]));
}

/** As written, for tests about the variables. */
export const written = fileSchema.parse(readCompose());
/** As it runs where no variable is set. */
export const compose = fileSchema.parse(withDefaults(readCompose()));

export function container(name: string): Container {
  const found = compose.services[name];
  if (!found) throw new Error(`docker-compose.yml has no service ${name}.`);
  return found;
}

/** What a container is told, without what is only handed on from outside. */
export function environmentOf(name: string): Record<string, string> {
  return Object.fromEntries(
    Object.entries(container(name).environment).flatMap(([key, value]) => (value === null ? [] : [[key, value]])),
  );
}
