// Who waits for an AbortSignal. Adds one listener a signal, however many calls and watches share
// it: Node warns of a leak from the 11th on.

export class Aborts {
  readonly #waiting = new WeakMap<AbortSignal, Set<() => void>>();

  /** Calls `run` when `signal` aborts, unless the returned function was called before. */
  on(signal: AbortSignal | undefined, run: () => void): () => void {
    if (!signal) return () => {};
    const waiting = this.#waiting.get(signal) ?? this.#listen(signal);
    waiting.add(run);
    return () => waiting.delete(run);
  }

  #listen(signal: AbortSignal): Set<() => void> {
    const waiting = new Set<() => void>();
    this.#waiting.set(signal, waiting);
    const runAll = () => {
      for (const run of [...waiting]) run();
    };
    signal.addEventListener('abort', runAll, { once: true });
    return waiting;
  }
}
