export interface RestartPace {
  firstMs?: number;
  longestMs?: number;
  healthyAfterMs?: number;
}

/** Pauses before restarts: 1, 2, 4 … 30 seconds, from the start again after a minute of health. */
export function restartPauses({ firstMs = 1_000, longestMs = 30_000, healthyAfterMs = 60_000 }: RestartPace = {}) {
  let failures = 0;
  return {
    /** How long to wait now, given for how long the process was ready before it died. */
    next(healthyForMs: number): number {
      if (healthyForMs >= healthyAfterMs) failures = 0;
      const pause = Math.min(longestMs, firstMs * 2 ** Math.min(failures, 20));
      failures += 1;
      return pause;
    },
    get failures() {
      return failures;
    },
  };
}

export type RestartPauses = ReturnType<typeof restartPauses>;
