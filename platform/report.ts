import type { PartName } from './part.ts';

export type PartState = 'waiting' | 'preparing' | 'starting' | 'ready' | 'stopping' | 'stopped';

/** Where the platform says what it does; the displays implement it. */
export interface Report {
  /** Once, before anything else: the parts that will run. */
  plan: (parts: readonly { name: PartName; title: string }[]) => void;
  part: (name: PartName, state: PartState, note?: string) => void;
  /** A part ended by itself; undefined seconds: it stays down. */
  died: (name: PartName, how: string, lastLines: readonly string[], restartInSeconds: number | undefined) => void;
  note: (text: string) => void;
}

export const silentReport: Report = {
  plan: () => undefined,
  part: () => undefined,
  died: () => undefined,
  note: () => undefined,
};
