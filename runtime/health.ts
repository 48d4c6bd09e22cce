/** What `/health/ready` says: each part of the service reports itself, and a part that went silent counts as failed. */

export type PartHealth = { ok(): void; failed(why: string): void };
export type Report = { ready: boolean; parts: Record<string, { ok: boolean; detail?: string; since: string }> };

export type Health = {
  /**
   * Registers a part; until its first `ok()` the service is not ready.
   * @param silenceMs after that long without a word the part counts as failed: it stopped polling. Default: never.
   */
  part(name: string, silenceMs?: number): PartHealth;
  report(): Report;
};

type State = { ok: boolean; detail?: string; since: number; heardAt: number; silenceMs: number };

export function createHealth(now: () => number = Date.now): Health {
  const parts = new Map<string, State>();
  const set = (name: string, ok: boolean, detail?: string) => {
    const before = parts.get(name);
    const since = before && before.ok === ok ? before.since : now();
    const silenceMs = before?.silenceMs ?? Infinity;
    parts.set(name, { ok, since, heardAt: now(), silenceMs, ...(detail === undefined ? {} : { detail }) });
  };
  return {
    part(name, silenceMs = Infinity) {
      parts.set(name, { ok: false, detail: 'starting', since: now(), heardAt: now(), silenceMs });
      return { ok: () => set(name, true), failed: (why) => set(name, false, why) };
    },
    report() {
      const entries = [...parts].map(([name, state]) => [name, describe(state, now())] as const);
      return { ready: entries.every(([, part]) => part.ok), parts: Object.fromEntries(entries) };
    },
  };
}

function describe(state: State, now: number): Report['parts'][string] {
  const silent = now - state.heardAt;
  if (state.ok && silent > state.silenceMs) {
    const since = new Date(state.heardAt).toISOString();
    return { ok: false, detail: `has not been heard of for ${Math.round(silent / 1000)} s`, since };
  }
  const since = new Date(state.since).toISOString();
  return { ok: state.ok, since, ...(state.detail === undefined ? {} : { detail: state.detail }) };
}
