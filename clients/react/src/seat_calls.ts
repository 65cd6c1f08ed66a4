// Brings each seat to what the shopper wants: held or not. One call at a time for a seat, so that
// the last intent wins and a seat that was given up is not left locked.
//
// - An intent that equals what is held makes no call.
// - A refusal ends the intent, and is reported if it is still the shopper's.
// - "Busy" (429, 503) is tried again after the pause that the server names, a few times. Jitter
//   lies above it, for many shoppers are told the same.
// - An unknown outcome is looked up before anything else is done. Even so a call whose answer was
//   lost may still be carried out late, against a later intent: `reassert()` puts that right.

import type { SeatConflict, SeatLocks, SeatLocksAnswer, SeatLocksError } from '@seatlock/client';

/** What a call to /api/seat-locks failed with. Told apart by `code`, never by class. */
export interface CallError {
  /** The contract's reason, or `NETWORK`, `TIMEOUT`, `BAD_ANSWER`. */
  readonly code: string;
  readonly message: string;
  /** The seats that stood in the way, and how. */
  readonly seats: readonly SeatConflict[];
  /** The server is busy, and wants to be asked again so much later. */
  readonly retryAfterMs: number | undefined;
  readonly outcomeUnknown: boolean;
}

export interface SeatCallsOptions {
  readonly showtimeId: string;
  readonly api: SeatLocks;
  /** Whether the shopper holds the seat now, as far as is known. */
  readonly held: (seatId: string) => boolean;
  /** Shows an answer; ends when it is shown. */
  readonly learn: (answer: SeatLocksAnswer) => Promise<void>;
  /** The seat's intent or call changed. */
  readonly changed: (seatId: string) => void;
  /** An intent came true: held, or not. */
  readonly settled: (seatId: string, held: boolean) => void;
  /** The intent to hold (or not to) failed; it is no more. */
  readonly failed: (seatId: string, wanted: boolean, error: CallError) => void;
}

interface Task {
  want: boolean;
  /** What the call under way asks for. */
  asks: boolean;
  /** Ends a pause early. */
  wake: () => void;
}

interface Outcome {
  readonly held: boolean;
  /** The intent cannot come true. */
  readonly error: CallError | null;
}

/** Calls for one intent, then it fails. */
const TRIES_MAX = 4;
/** A server that wants a longer pause is told of instead: nobody watches a seat "selecting" on. */
const PAUSE_MAX_MS = 5_000;
const BACKOFF_MS = 500;
/** Where a busy server names no pause. */
const PAUSE_MS = 1_000;
/** How late a call whose outcome was unknown may be carried out and still be put right. */
const LATE_MS = 30_000;
const LATE_MAX = 100;

/** Calls for a seat whose outcome was unknown. */
interface Late {
  locks: number;
  unlocks: number;
  /** What the shopper wanted in the end; null: was told that it failed, so what comes is shown. */
  want: boolean | null;
  /** By the monotonic clock. */
  until: number;
}

export class SeatCalls {
  readonly #options: SeatCallsOptions;
  readonly #tasks = new Map<string, Task>();
  readonly #late = new Map<string, Late>();

  constructor(options: SeatCallsOptions) {
    this.#options = options;
  }

  /** What is wanted of a seat that calls are under way for; undefined: none are. */
  intent(seatId: string): boolean | undefined {
    return this.#tasks.get(seatId)?.want;
  }

  /** The call under way asks for the lock (true) or its end (false). */
  asks(seatId: string): boolean | undefined {
    return this.#tasks.get(seatId)?.asks;
  }

  seatIds(): IterableIterator<string> {
    return this.#tasks.keys();
  }

  /** The shopper wants the seat held, or not. */
  want(seatId: string, want: boolean): void {
    const task = this.#tasks.get(seatId);
    if (task) {
      task.want = want;
      task.wake();
    } else {
      const begun: Task = { want, asks: want, wake: () => {} };
      this.#tasks.set(seatId, begun);
      void this.#work(seatId, begun);
    }
    this.#options.changed(seatId);
  }

  /** The seat came to be held, or not, without a call under way: a late one may have done it. */
  reassert(seatId: string): void {
    const late = this.#late.get(seatId);
    const held = this.#options.held(seatId);
    if (!late || late.want === null || late.want === held || this.#tasks.has(seatId)) return;
    if (performance.now() > late.until || (held ? late.locks : late.unlocks) === 0) return;
    // Each lost call can have done it once; anything beyond that was another tab's wish.
    if (held) late.locks--;
    else late.unlocks--;
    this.want(seatId, late.want);
  }

  async #work(seatId: string, task: Task): Promise<void> {
    let held = this.#options.held(seatId);
    let tries = 0;
    let last: CallError | null = null;
    while (task.want !== held && last === null) {
      const want = task.want;
      const outcome = await this.#call(seatId, task, tries++);
      held = outcome.held;
      if (outcome.error !== null && task.want === want) last = outcome.error;
      if (held === want) tries = 0;
    }
    this.#tasks.delete(seatId);
    const late = this.#late.get(seatId);
    if (late) late.want = last === null ? task.want : null;
    this.#options.changed(seatId);
    if (last === null) this.#options.settled(seatId, held);
    else this.#options.failed(seatId, task.want, last);
    // It may have been carried out while the last call was under way.
    this.reassert(seatId);
  }

  async #call(seatId: string, task: Task, tries: number): Promise<Outcome> {
    const want = task.want;
    task.asks = want;
    if (tries > 0) this.#options.changed(seatId);
    const { api, showtimeId, learn } = this.#options;
    try {
      const answer = await (want
        ? api.lock(showtimeId, [seatId])
        : api.unlock(showtimeId, [seatId]));
      await learn(answer);
      // An answer without what it granted would be asked for again and again.
      return { held: want, error: null };
    } catch (thrown) {
      const error = readError(thrown);
      if (!want && error.code === 'NOT_LOCK_HOLDER') return { held: false, error: null };
      if (error.outcomeUnknown) {
        this.#noteLate(seatId, want);
        return this.#lookUp(seatId, task, tries, error);
      }
      const pause = error.retryAfterMs;
      if (pause === undefined || pause > PAUSE_MAX_MS || tries + 1 >= TRIES_MAX) {
        return { held: !want, error };
      }
      await this.#pause(task, pause * (1 + Math.random() / 2), want);
      return { held: !want, error: null };
    }
  }

  /** Finds out what became of a call. */
  async #lookUp(seatId: string, task: Task, tries: number, error: CallError): Promise<Outcome> {
    const want = task.want;
    for (let i = 0; i < TRIES_MAX; i++) {
      await this.#pause(task, i === 0 ? 0 : BACKOFF_MS * 2 ** (i - 1) * (0.5 + Math.random() / 2));
      try {
        const answer = await this.#options.api.get(this.#options.showtimeId);
        await this.#options.learn(answer);
        const held = answer.seats.some((seat) => seat.seatId === seatId);
        const done = held === want || tries + 1 < TRIES_MAX;
        return { held, error: done ? null : error };
      } catch {
        // Asked again, and in the end the first error says it all.
      }
    }
    return { held: this.#options.held(seatId), error };
  }

  /** Waits; a change of mind away from `unless` ends it. */
  #pause(task: Task, ms: number, unless?: boolean): Promise<void> {
    return new Promise((resolve) => {
      const timer = setTimeout(resolve, ms);
      task.wake = () => {
        if (unless === undefined || task.want === unless) return;
        clearTimeout(timer);
        resolve();
      };
    });
  }

  #noteLate(seatId: string, lock: boolean): void {
    const until = performance.now() + LATE_MS;
    const late = this.#late.get(seatId) ?? { locks: 0, unlocks: 0, want: null, until };
    if (lock) late.locks++;
    else late.unlocks++;
    late.until = until;
    this.#late.delete(seatId);
    const oldest = this.#late.keys().next();
    if (this.#late.size >= LATE_MAX && !oldest.done) this.#late.delete(oldest.value);
    this.#late.set(seatId, late);
  }
}

/** Whatever a call threw, as a `CallError`. */
export function readError(thrown: unknown): CallError {
  const error: Partial<SeatLocksError> = thrown instanceof Object ? thrown : {};
  const busy = error.status === 429 || error.status === 503;
  return {
    code: error.code ?? 'INTERNAL',
    message: error.message ?? String(thrown),
    seats: error.seats ?? [],
    retryAfterMs: busy ? (error.retryAfterMs ?? PAUSE_MS) : undefined,
    outcomeUnknown: error.outcomeUnknown ?? true,
  };
}
