/** The mapping file of a migration, kept in `bpmn/migrations/`: which element of the old diagram is which of the new. */
import { createHash } from 'node:crypto';
import { readFile } from 'node:fs/promises';
import { z } from 'zod';

/** Its message is for the operator; nothing was touched. */
export class Refused extends Error {}

/** A version's number is its own in each engine; the checksum of the diagram's text is the same everywhere. */
const version = z.union([z.int().positive(), z.string().regex(/^[0-9a-f]{8,64}$/)]);

const mappingFile = z.strictObject({
  /** For readers: what changed, and why these elements are the same. */
  why: z.string().optional(),
  process: z.string(),
  from: version.optional(),
  to: version.optional(),
  /** Old id → new id; an id that both diagrams have is itself, unless it is named here. */
  elements: z.record(z.string(), z.string()),
});
export type Mapping = z.infer<typeof mappingFile>;

export const sameIds = (process: string): Mapping => ({ process, elements: {} });

/** @throws Refused with a sentence for people */
export async function readMapping(file: string): Promise<Mapping> {
  const text = await readFile(file, 'utf8').catch((cause: unknown) => {
    throw new Refused(`The mapping file ${file} cannot be read.`, { cause });
  });
  const parsed = mappingFile.safeParse(jsonOf(file, text));
  if (!parsed.success) throw new Refused(`The mapping file ${file} is not one:\n${z.prettifyError(parsed.error)}`);
  return parsed.data;
}

function jsonOf(file: string, text: string): unknown {
  try {
    return JSON.parse(text);
  } catch (cause) {
    throw new Refused(`The mapping file ${file} is not JSON.`, { cause });
  }
}

export type Version = { version: number; xml: string };

export const checksum = (xml: string) => createHash('sha256').update(xml).digest('hex');

/** Whether `wanted`, a number or the beginning of a checksum, names this version; without it every one will do. */
export const isVersion = (wanted: Mapping['from'], { version: number, xml }: Version) =>
  wanted === undefined || (typeof wanted === 'number' ? wanted === number : checksum(xml).startsWith(wanted));
