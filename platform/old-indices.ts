/**
 * Clean-up of what Operate and the engine's exporter wrote: their indices carry a day in their names, and whole days are
 * dropped. A search server with index management (`_plugins/_ism`, Elasticsearch's ILM) does this by itself, as
 * docker-compose.yml asks it to; the one that `npm start` runs has none.
 */
import { z } from 'zod';

const day = 24 * 60 * 60 * 1000;
const listed = z.array(z.object({ index: z.string() }));
/** `zeebe-record_process-instance_8.6.0_2026-11-21`, `operate-list-view-8.3.0_2026-11-21`. */
const dated = /^(?:zeebe-record|operate)[-_].*_(\d{4}-\d{2}-\d{2})$/;

/** Deletes the indices of days that ended `keepDays` ago or earlier; returns their names. Rejects when the server is away. */
export async function deleteOldIndices(opensearch: string, keepDays: number, now = new Date()): Promise<string[]> {
  const call = async (method: string, path: string): Promise<unknown> => {
    const response = await fetch(`${opensearch}${path}`, { method, signal: AbortSignal.timeout(30_000) });
    if (!response.ok) throw new Error(`OpenSearch answers ${response.status} to ${method} ${path}`);
    return response.json();
  };
  const all = listed.parse(await call('GET', '/_cat/indices/zeebe-record*,operate*?format=json&h=index'));
  const old = all
    .map(({ index }) => index)
    .filter((index) => {
      const written = dated.exec(index)?.[1];
      return written !== undefined && Date.parse(written) + day + keepDays * day <= now.getTime();
    });
  for (const index of old) await call('DELETE', `/${index}`);
  return old;
}

/** Once a day, and now, until the returned function is called. */
export function keepDeletingOldIndices(opensearch: string, keepDays: number, say: (text: string) => void): () => void {
  const run = () =>
    deleteOldIndices(opensearch, keepDays).then(
      (old) => old.length > 0 && say(`Deleted ${old.length} indices of Operate that were older than ${keepDays} days.`),
      (error: unknown) => say(`Old indices of Operate were not deleted: ${String(error)}`),
    );
  void run();
  const timer = setInterval(() => void run(), day);
  return () => clearInterval(timer);
}
