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
   * Between half the bound and the bound. If the service asked for more than that half: between
   * what it asked for, of which a minute is obeyed, and half as much again. With `leftMs` the
   * jitter takes at most half of what is left after that, so that an attempt has the rest.
   */
  next(askedForMs = 0, leftMs = Number.POSITIVE_INFINITY): number {
    const least = Math.max(this.#boundMs / 2, Math.min(askedForMs, ASKED_FOR_MS_MAX));
    const width = Math.min(Math.max(this.#boundMs, least) / 2, (leftMs - least) / 2);
    this.#boundMs = Math.min(this.#boundMs * 2, this.maxMs);
    return least + Math.random() * Math.max(0, width);
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

/** Ends with `what`, which never rejects, or as a pause of `ms` would. */
export function until(
  what: Promise<void>,
  ms: number,
  onWake: (wake: () => void) => () => void,
): Promise<void> {
  return pause(ms, (wake) => {
    void what.then(wake);
    return onWake(wake);
  });
}
