/**
 * What `/health/ready` and `/health/live` say. Each part of the service reports itself. It counts as failed when it says
 * so, when it has been silent for too long, and when something that it began has not ended in time: a handler that hangs
 * is seen although heartbeats go on beside it.
 *
 * Not ready: look, or wait; the part may come back by itself. Not live: nothing but a new process helps. Every call to
 * the outside has a time limit of its own, so what hangs for five times the limit hangs in here.
 */

export type PartHealth = {
  ok(): void;
  failed(why: string): void;
  /**
   * Something has begun that must end within `mostMs` (default: the service's `STALLED_AFTER`); the returned function
   * ends it.
   */
  begin(what: string, mostMs?: number): () => void;
};
export type Report = { ready: boolean; parts: Record<string, { ok: boolean; detail?: string; since: string }> };

export type Health = {
  /** How long a part may stand still, ms: the setting `STALLED_AFTER`. */
  stalledAfterMs: number;
  /**
   * Registers a part; until its first `ok()` the service is not ready.
   * @param silenceMs after that long without a word the part counts as failed: it stopped polling. Default: never.
   */
  part(name: string, silenceMs?: number): PartHealth;
  report(): Report;
  /** The parts that only a new process brings back, with the reason; empty while the process lives. */
  stuck(): Record<string, string>;
};

type Work = { what: string; since: number; mostMs: number };
type State = { ok: boolean; detail?: string; since: number; heardAt: number; silenceMs: number; work: Set<Work> };

/** So many times the limit, and it is not slow but stuck. */
const stuckFactor = 5;

export function createHealth({
  now = Date.now,
  stalledAfterMs = 60_000,
}: { now?: () => number; stalledAfterMs?: number } = {}): Health {
  const parts = new Map<string, State>();
  return {
    stalledAfterMs,
    part(name, silenceMs = Infinity) {
      const state: State = { ok: false, detail: 'starting', since: now(), heardAt: now(), silenceMs, work: new Set() };
      parts.set(name, state);
      const say = (ok: boolean, detail?: string) => {
        if (state.ok !== ok) state.since = now();
        state.ok = ok;
        state.heardAt = now();
        if (detail === undefined) delete state.detail;
        else state.detail = detail;
      };
      return {
        ok: () => say(true),
        failed: (why) => say(false, why),
        begin(what, mostMs = stalledAfterMs) {
          const work = { what, since: now(), mostMs };
          state.work.add(work);
          return () => void state.work.delete(work);
        },
      };
    },
    report() {
      const entries = [...parts].map(([name, state]) => [name, describe(state, now())] as const);
      return { ready: entries.every(([, part]) => part.ok), parts: Object.fromEntries(entries) };
    },
    stuck() {
      const entries = [...parts].map(([name, state]) => [name, stalled(state, now(), stuckFactor)] as const);
      return Object.fromEntries(entries.flatMap(([name, found]) => (found ? [[name, found.detail]] : [])));
    },
  };
}

function describe(state: State, now: number): Report['parts'][string] {
  // One that says that it fails knows best why.
  const found = state.ok ? stalled(state, now, 1) : undefined;
  if (found) return { ok: false, detail: found.detail, since: new Date(found.since).toISOString() };
  const since = new Date(state.since).toISOString();
  return { ok: state.ok, since, ...(state.detail === undefined ? {} : { detail: state.detail }) };
}

type Stalled = { detail: string; since: number };

function stalled(state: State, now: number, factor: number): Stalled | undefined {
  const silent = now - state.heardAt;
  return (
    overdue(state, now, factor) ??
    (silent > state.silenceMs * factor
      ? { detail: `has not been heard of for ${seconds(silent)}`, since: state.heardAt }
      : undefined)
  );
}

function overdue({ work }: State, now: number, factor: number): Stalled | undefined {
  // A set keeps the order of insertion, so the first that is found began first.
  const oldest = [...work].find(({ since, mostMs }) => now - since > mostMs * factor);
  return oldest && { detail: `${oldest.what}: has not ended for ${seconds(now - oldest.since)}`, since: oldest.since };
}

const seconds = (ms: number) => `${Math.round(ms / 1000)} s`;
