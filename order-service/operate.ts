/** Camunda Operate's v1 API, as far as incidents go. Particular to engine 8.6, so it stays in this one file. */
import { z } from 'zod';

export type Incident = {
  key: string;
  processInstanceKey: string;
  /** The box of the diagram that it hangs at. */
  elementId: string;
  message: string;
  /** ISO 8601. */
  at: string;
};

export type OperateSettings = { OPERATE_URL: string; OPERATE_USER: string; OPERATE_PASSWORD: string };

/** How long Operate may take to answer, ms; and how many incidents are looked at, the newest first. */
const timeoutMs = 5_000;
const mostIncidents = 200;

/** Keys are larger than what a JSON number holds exactly; as text they come from the raw answer. */
const key = z.string();
const incidents = z.object({
  items: z.array(z.object({ key, processInstanceKey: key, message: z.string().nullish(), creationTime: z.string() })),
});
const flowNodes = z.object({ items: z.array(z.object({ flowNodeId: z.string(), incidentKey: key.nullish() })) });

export type Operate = {
  /** Incidents that are open now, without those in `known`. Rejects while Operate is away. */
  openIncidents(known: ReadonlySet<string>): Promise<Incident[]>;
};

export function createOperate(settings: OperateSettings): Operate {
  let cookie = '';

  const login = async () => {
    const response = await fetch(new URL('/api/login', settings.OPERATE_URL), {
      method: 'POST',
      body: new URLSearchParams({ username: settings.OPERATE_USER, password: settings.OPERATE_PASSWORD }),
      signal: AbortSignal.timeout(timeoutMs),
    });
    if (!response.ok) throw new Error(`Operate refuses the login: ${response.status}`);
    cookie = response.headers
      .getSetCookie()
      .map((one) => one.split(';')[0])
      .join('; ');
  };
  const post = (path: string, body: string) =>
    fetch(new URL(path, settings.OPERATE_URL), {
      method: 'POST',
      headers: { cookie, 'content-type': 'application/json' },
      body,
      signal: AbortSignal.timeout(timeoutMs),
    });
  const search = async <S extends z.ZodType>(path: string, body: string, schema: S): Promise<z.output<S>> => {
    let response = await post(path, body);
    if (response.status === 401 || response.status === 403) {
      await login();
      response = await post(path, body);
    }
    if (!response.ok) throw new Error(`Operate answers ${response.status} to ${path}`);
    return schema.parse(JSON.parse(keysAsText(await response.text())));
  };

  return {
    async openIncidents(known) {
      const sort = [{ field: 'creationTime', order: 'DESC' }];
      const query = JSON.stringify({ filter: { state: 'ACTIVE' }, size: mostIncidents, sort });
      const open = (await search('/v1/incidents/search', query, incidents)).items.filter((one) => !known.has(one.key));
      const found: Incident[] = [];
      for (const { key: incidentKey, processInstanceKey, message, creationTime } of open) {
        const at = new Date(creationTime).toISOString();
        // An incident does not say where it is; the flow nodes of its instance do.
        const where = `{"filter":{"processInstanceKey":${processInstanceKey},"incident":true},"size":50}`;
        const { items } = await search('/v1/flownode-instances/search', where, flowNodes);
        const elementId = items.find((node) => node.incidentKey === incidentKey)?.flowNodeId;
        if (elementId !== undefined) {
          found.push({
            key: incidentKey,
            processInstanceKey,
            elementId,
            message: message ?? 'An incident in the engine.',
            at,
          });
        }
      }
      return found;
    },
  };
}

function keysAsText(json: string): string {
  return json.replaceAll(/("(?:key|processInstanceKey|incidentKey)"\s*:\s*)(\d+)/g, '$1"$2"');
}
