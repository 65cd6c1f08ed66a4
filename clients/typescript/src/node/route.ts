// Where one call, or one watch, sends its attempts. They go in rounds: the showtime's most
// preferred server that is worth asking, then the next at once for as long as nothing was done,
// each server once a round. Between two rounds the caller pauses. One server is a round by itself,
// so a client with one address does what it did before there were lists.

import type { Server, Servers, Sign } from './servers.js';

export class Route {
  readonly #servers: Servers;
  readonly #showtimeId: string;
  readonly #tried = new Set<Server>();
  #askedForMs: number | undefined;

  constructor(servers: Servers, showtimeId: string) {
    this.#servers = servers;
    this.#showtimeId = showtimeId;
  }

  /**
   * How long to leave the servers alone before the next round. One that is there said so itself; if
   * all are away it is the least that one of them asked for, as any of them will do.
   */
  get askedForMs(): number {
    return this.#askedForMs ?? 0;
  }

  /** Begins a round. If every server is away, the one is asked whose pause ends first. */
  first(): Server {
    let [best, ...others] = this.#servers.ranked(this.#showtimeId);
    if (best === undefined) throw new Error('a list of servers is never empty');
    for (const other of others) {
      if (other.waitMs(this.#showtimeId) < best.waitMs(this.#showtimeId)) best = other;
    }
    return this.at(best);
  }

  /** The next one of this round; undefined if there is none that is worth asking. */
  another(): Server | undefined {
    const next = this.#next();
    return next && this.#ask(next);
  }

  /** Begins a round with this one. */
  at(server: Server): Server {
    this.#tried.clear();
    this.#askedForMs = undefined;
    return this.#ask(server);
  }

  get hasAnother(): boolean {
    return this.#next() !== undefined;
  }

  /** Takes what the attempt said of the server that was asked. */
  heard(server: Server, sign: Sign, askedForMs = 0): void {
    this.#servers.heard(server, sign, this.#showtimeId, askedForMs);
    const least = Math.min(this.#askedForMs ?? askedForMs, askedForMs);
    this.#askedForMs = sign === 'answered' ? askedForMs : least;
  }

  #next(): Server | undefined {
    return this.#servers
      .ranked(this.#showtimeId)
      .find((server) => !this.#tried.has(server) && server.waitMs(this.#showtimeId) === 0);
  }

  #ask(server: Server): Server {
    this.#tried.add(server);
    server.asked(this.#showtimeId);
    return server;
  }
}
