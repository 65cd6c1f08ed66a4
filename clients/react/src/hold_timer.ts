// Counts down to the earliest end of the shopper's own locks, and warns once a threshold for each
// lock's expiry. Runs only while something is held. Expiry itself is the server's: past the end,
// `onOverdue` asks for its word once.

import type { OwnSeat } from '@seatlock/client';

export interface HoldTimerOptions {
  /** The server's clock, Unix ms. */
  readonly now: () => number;
  readonly seats: () => readonly OwnSeat[];
  /** How long before its end a lock is warned of, in ms. */
  readonly warningsMs: () => readonly number[];
  readonly onTick: () => void;
  readonly onWarning: (seatIds: readonly string[], msLeft: number) => void;
  /** A lock's end passed, and the stream has not said so for a while. */
  readonly onOverdue: () => void;
}

/** The service streams an expiry within 1 s; the rest is for the way. */
const OVERDUE_MS = 2_000;

export class HoldTimer {
  readonly #options: HoldTimerOptions;
  /** By seat: the expiry that was warned of, and the lowest threshold that was. */
  #warned = new Map<string, { expiresAt: number; threshold: number }>();
  #overdueFor = 0;
  #timer: ReturnType<typeof setTimeout> | undefined;

  constructor(options: HoldTimerOptions) {
    this.#options = options;
  }

  /** Counts anew: seats came, went, or are kept longer. */
  update = (): void => {
    this.stop();
    const seats = this.#options.seats();
    this.#forgetOthers(seats);
    const end = earliestEnd(seats);
    if (end !== null) {
      const left = end - this.#options.now();
      this.#warn(seats);
      if (left <= -OVERDUE_MS && this.#overdueFor !== end) {
        this.#overdueFor = end;
        this.#options.onOverdue();
      }
      // Just past the next whole second of what is left, which is when the figure shown changes.
      const rest = ((left % 1000) + 1000) % 1000;
      this.#timer = setTimeout(this.update, rest + 1);
    }
    this.#options.onTick();
  };

  stop(): void {
    clearTimeout(this.#timer);
    this.#timer = undefined;
  }

  #warn(seats: readonly OwnSeat[]): void {
    const now = this.#options.now();
    const due: OwnSeat[] = [];
    for (const seat of seats) {
      const left = seat.expiresAt - now;
      const passed = this.#options.warningsMs().filter((ms) => left <= ms);
      if (passed.length === 0 || left <= 0) continue;
      const threshold = Math.min(...passed);
      const before = this.#warned.get(seat.seatId);
      if (before?.expiresAt === seat.expiresAt && before.threshold <= threshold) continue;
      this.#warned.set(seat.seatId, { expiresAt: seat.expiresAt, threshold });
      due.push(seat);
    }
    const end = earliestEnd(due);
    if (end === null) return;
    this.#options.onWarning(
      due.map((seat) => seat.seatId),
      end - now,
    );
  }

  #forgetOthers(seats: readonly OwnSeat[]): void {
    const held = new Set(seats.map((seat) => seat.seatId));
    for (const seatId of this.#warned.keys()) if (!held.has(seatId)) this.#warned.delete(seatId);
  }
}

/** When the first of the locks ends; null where there is none. */
export function earliestEnd(seats: readonly OwnSeat[]): number | null {
  return seats.length === 0 ? null : Math.min(...seats.map((seat) => seat.expiresAt));
}
