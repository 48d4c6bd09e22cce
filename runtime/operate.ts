/** Camunda Operate's v1 API: the login and the searches. Particular to engine 8.6; nothing of the order's way needs it. */
import type { z } from 'zod';

export type OperateSettings = { OPERATE_URL: string; OPERATE_USER: string; OPERATE_PASSWORD: string };

/** How long Operate may take to answer. */
const timeoutMs = 10_000;

export type OperateApi = ReturnType<typeof createOperateApi>;

/** Each call rejects while Operate is away, and logs in when it has to. */
export function createOperateApi(settings: OperateSettings) {
  let cookie = '';

  async function login(): Promise<void> {
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
  }

  const call = (path: string, body?: string) =>
    fetch(new URL(path, settings.OPERATE_URL), {
      method: body === undefined ? 'GET' : 'POST',
      headers: { cookie, 'content-type': 'application/json' },
      ...(body === undefined ? {} : { body }),
      signal: AbortSignal.timeout(timeoutMs),
    });

  async function text(path: string, body?: string): Promise<string> {
    let response = await call(path, body);
    if (response.status === 401 || response.status === 403) {
      await login();
      response = await call(path, body);
    }
    if (!response.ok) throw new Error(`Operate answers ${response.status} to ${path}`);
    return response.text();
  }

  return {
    /** A document, as the XML of a diagram. */
    get: (path: string) => text(path),
    /** @param query JSON; keys are numbers in it. In the answer keys are text, for a number would not hold them. */
    search: async <S extends z.ZodType>(path: string, query: string, schema: S): Promise<z.output<S>> =>
      schema.parse(JSON.parse(keysAsText(await text(path, query)))),
  };
}

/** Keys are larger than what a JSON number holds exactly. */
const keysAsText = (json: string) => json.replaceAll(/("(?:\w*[kK]ey)"\s*:\s*)(\d+)/g, '$1"$2"');
