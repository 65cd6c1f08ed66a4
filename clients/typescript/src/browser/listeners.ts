// Sets of listeners, called so that one that throws is reported and harms no other.

export interface Listeners<T> {
  /** Returns the way to end it. The same function may be added twice: each has its own end. */
  add(listener: (value: T) => void): () => void;
  call(value: T): void;
  empty(): boolean;
}

export function listeners<T = void>(): Listeners<T> {
  const all = new Set<{ listener: (value: T) => void }>();
  return {
    add(listener) {
      const entry = { listener };
      all.add(entry);
      return () => {
        all.delete(entry);
      };
    },
    call(value) {
      for (const { listener } of [...all]) {
        try {
          listener(value);
        } catch (error) {
          report(error);
        }
      }
    },
    empty: () => !all.size,
  };
}

function report(error: unknown): void {
  if (globalThis.reportError) globalThis.reportError(error);
  else console.error(error);
}
