/** A wait that can be cut short. */
export type Bell = {
  /** Ends the wait in hand, or else the next one. */
  ring(): void;
  /** Forgets a ring that nobody has waited for. */
  hush(): void;
  /** Resolves after `ms`, or when the bell rings, or at once when it has rung since the last wait. */
  wait(ms: number): Promise<void>;
};

export function createBell(): Bell {
  let rung = false;
  let wake: () => void = () => undefined;
  return {
    ring() {
      rung = true;
      wake();
    },
    hush() {
      rung = false;
    },
    async wait(ms) {
      if (!rung) {
        await new Promise<void>((resolve) => {
          const timer = setTimeout(resolve, ms);
          wake = () => {
            clearTimeout(timer);
            resolve();
          };
        });
      }
      rung = false;
    },
  };
}
