// Brings a watch back to the server that its showtime prefers, and away from one that calls have
// found to be away. The watch keeps its stream until the other server has answered one like it, so
// it never leaves a stream that works for one that does not.
//
//   state   | another is better | none is | its time comes         | probe answers | probe fails
//   --------+-------------------+---------+------------------------+---------------+------------
//   settled | waiting           | settled | –                      | –             | –
//   waiting | waiting, no later | settled | probing, or look again | –             | –
//   probing | probing           | probing | –                      | found         | look again
//   found   | found             | found   | –                      | –             | –
//
// It looks at the start and whenever a server goes or comes back. `stop` and `take` settle it. Many
// watches come back within RETURN_SPREAD_MS, not together.

import { Backoff } from './backoff.js';
import type { SeatLockError } from './errors.js';
import type { Server, Servers } from './servers.js';

const RETURN_SPREAD_MS = 1_000;
// Between probes that fail though the server is there, as one that is overloaded.
const PAUSE_FIRST_MS = 1_000;
const PAUSE_MS_MAX = 30_000;

export interface HomingEnv {
  /** Why `server` cannot serve what the watch wants now, or undefined if it can. Never rejects. */
  readonly probe: (server: Server) => Promise<SeatLockError | undefined>;
  /** A better server has answered: `take` it. */
  readonly onFound: () => void;
}

export class Homing {
  readonly #servers: Servers;
  readonly #showtimeId: string;
  readonly #env: HomingEnv;
  readonly #pauses = new Backoff(PAUSE_FIRST_MS, PAUSE_MS_MAX);
  #state: 'settled' | 'waiting' | 'probing' | 'found' = 'settled';
  /** Where the watch has its stream; undefined while it has none. */
  #current: Server | undefined;
  #forget: (() => void) | undefined;
  /** While waiting. */
  #timer: NodeJS.Timeout | undefined;
  #timeComesAt = Number.POSITIVE_INFINITY;
  /** Before it no probe, whatever the servers' states are. */
  #notBefore = 0;
  /** The number of the last probe: only that one counts, and none from before a `stop`. */
  #probes = 0;
  /** While found. */
  #found: Server | undefined;

  constructor(servers: Servers, showtimeId: string, env: HomingEnv) {
    this.#servers = servers;
    this.#showtimeId = showtimeId;
    this.#env = env;
  }

  get found(): boolean {
    return this.#state === 'found';
  }

  /** The watch has a stream of `current` that works. May be called repeatedly. */
  start(current: Server): void {
    if (this.#current === current) return;
    this.#current = current;
    this.#forget ??= this.#servers.onChange(() => this.#look());
    this.#look();
  }

  /** The server to move to; undefined if there is none. The watch leaves the one it has. */
  take(): Server | undefined {
    const found = this.#found;
    if (found) this.stop();
    return found;
  }

  /** The watch has no stream. */
  stop(): void {
    this.#forget?.();
    this.#forget = undefined;
    this.#current = undefined;
    this.#found = undefined;
    this.#probes += 1;
    this.#settle();
  }

  #look(): void {
    if (this.#state !== 'settled' && this.#state !== 'waiting') return;
    const better = this.#better();
    if (better.length === 0) {
      this.#settle();
      return;
    }
    const now = performance.now();
    const waitMs = Math.min(...better.map((server) => server.waitMs(this.#showtimeId)));
    const earliest = Math.max(now + waitMs, this.#notBefore);
    const comesAt = earliest + Math.random() * RETURN_SPREAD_MS;
    this.#timeComesAt = Math.min(this.#timeComesAt, comesAt);
    clearTimeout(this.#timer);
    this.#timer = setTimeout(() => this.#timeHasCome(), this.#timeComesAt - now);
    this.#state = 'waiting';
  }

  #timeHasCome(): void {
    this.#settle();
    void this.#servers.ready();
    const tooEarly = performance.now() < this.#notBefore;
    const server = this.#better().find((one) => one.waitMs(this.#showtimeId) === 0);
    if (server === undefined || tooEarly) this.#look();
    else void this.#probe(server);
  }

  async #probe(server: Server): Promise<void> {
    const mine = ++this.#probes;
    this.#state = 'probing';
    const failure = await this.#env.probe(server);
    if (mine !== this.#probes) return;
    if (failure === undefined) {
      this.#pauses.reset();
      this.#state = 'found';
      this.#found = server;
      this.#env.onFound();
      return;
    }
    this.#notBefore = performance.now() + this.#pauses.next(failure.retryAfterMs);
    this.#settle();
    this.#look();
  }

  /** Those that the showtime prefers to where it is; all others if that one is away. */
  #better(): readonly Server[] {
    const current = this.#current;
    if (current === undefined) return [];
    const ranked = this.#servers.ranked(this.#showtimeId);
    const place = ranked.indexOf(current);
    const away = place < 0 || !current.serves(this.#showtimeId);
    return away ? ranked.filter((server) => server !== current) : ranked.slice(0, place);
  }

  #settle(): void {
    clearTimeout(this.#timer);
    this.#timer = undefined;
    this.#timeComesAt = Number.POSITIVE_INFINITY;
    this.#state = 'settled';
  }
}
