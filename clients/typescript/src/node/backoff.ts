// How long to wait before the next attempt: a random time below a bound that doubles, so that
// clients which failed together do not come back together.

// The edge and clients/cpp obey as much. A valid RetryInfo may say 10,000 years, and setTimeout
// fires at once above 24.8 days.
const ASKED_FOR_MS_MAX = 60_000;

export class Backoff {
  #boundMs: number;

  constructor(
    readonly firstMs: number,
    readonly maxMs: number,
  ) {
    this.#boundMs = firstMs;
  }

  /**
   * Between half the bound and the bound; never less than what the service asked for, of which a
   * minute is obeyed.
   */
  next(askedForMs = 0): number {
    const wait = this.#boundMs * (0.5 + Math.random() / 2);
    this.#boundMs = Math.min(this.#boundMs * 2, this.maxMs);
    return Math.max(wait, Math.min(askedForMs, ASKED_FOR_MS_MAX));
  }

  /** After a success. */
  reset(): void {
    this.#boundMs = this.firstMs;
  }
}

/** Ends after `ms`, or when what `onWake` is given is called; `onWake` returns how to undo that. */
export function pause(ms: number, onWake: (wake: () => void) => () => void): Promise<void> {
  return new Promise((resolve) => {
    const done = () => {
      clearTimeout(timer);
      undo();
      resolve();
    };
    const timer = setTimeout(done, ms);
    const undo = onWake(done);
  });
}
