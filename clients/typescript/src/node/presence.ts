// Whether a server is worth asking, as this client has found it. One that is away is left alone for
// a pause that grows and that no two clients have alike; then one caller tries it, and the others
// follow once it has answered. What is asked for a showtime that a server refuses has one, too.
//
//   state  | asked          | answered | lost               | undecided
//   -------+----------------+----------+--------------------+------------------
//   here   | here           | here     | away: first pause  | here
//   away   | trying         | away     | away: no sooner    | away
//   trying | trying         | here     | away: longer pause | away: pause over
//
// Callers ask once `waitMs` is 0, or if no other server is nearer to that. "Answered" of a server
// that is away answers a call made before, so it says nothing about now. "Undecided" is a call
// that was given up: the next caller may try.

import { Backoff } from './backoff.js';

export type PresenceState = 'here' | 'away' | 'trying';

// Short, because a server that is stopped and started is away for a second or two; long enough that
// a machine that swallows what it is sent costs one call in each of them.
const PAUSE_FIRST_MS = 500;
const PAUSE_MS_MAX = 5_000;
const ASKED_FOR_MS_MAX = 60_000; // as backoff.ts obeys
// A caller that tries and then takes its time must not keep the others away.
const TRIAL_MS_MAX = 5_000;

export class Presence {
  #state: PresenceState = 'here';
  /** While away: the end of the pause. While trying: when another caller may try. */
  #until = 0;
  readonly #pauses = new Backoff(PAUSE_FIRST_MS, PAUSE_MS_MAX);
  readonly #now: () => number;

  /** `now`: milliseconds that only go forward. */
  constructor(now: () => number) {
    this.#now = now;
  }

  get state(): PresenceState {
    return this.#state;
  }

  /** In how long it may be asked; 0 is now. */
  get waitMs(): number {
    return this.#state === 'here' ? 0 : Math.max(0, this.#until - this.#now());
  }

  asked(): void {
    if (this.#state !== 'here') this.#to('trying', TRIAL_MS_MAX);
  }

  answered(): void {
    if (this.#state !== 'trying') return;
    this.#pauses.reset();
    this.#to('here', 0);
  }

  /** `askedForMs`: how long the server wants to be left alone, of which a minute is obeyed. */
  lost(askedForMs = 0): void {
    const asked = Math.min(askedForMs, ASKED_FOR_MS_MAX);
    if (this.#state === 'away') this.#to('away', Math.max(this.waitMs, asked));
    else this.#to('away', this.#pauses.next(asked));
  }

  undecided(): void {
    if (this.#state === 'trying') this.#to('away', 0);
  }

  #to(state: PresenceState, forMs: number): void {
    this.#state = state;
    this.#until = this.#now() + forMs;
  }
}
