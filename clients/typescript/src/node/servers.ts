// The servers of one client: a channel each, and what is known of which are away.

import { type Client, status as grpcStatus } from '@grpc/grpc-js';
import { Addresses, type Lookup, type Target } from './addresses.js';
import type { SeatLockError } from './errors.js';
import { Presence, type PresenceState } from './presence.js';
import { rankServers } from './rendezvous.js';

/**
 * What an attempt said of the server that was asked.
 * - `answered`: it is there, whatever it answered
 * - `refused`: it is there, and cannot serve this showtime now
 * - `lost`: it is away, leaving, or silent
 * - `undecided`: nothing
 */
export type Sign = 'answered' | 'refused' | 'lost' | 'undecided';

/** `waited`: the attempt had the time that an answer may take, so that silence says something. */
export function signOf({ code, reason }: SeatLockError, waited: boolean): Sign {
  const ofTheService = reason !== grpcStatus[code];
  if (code === grpcStatus.UNAVAILABLE) {
    return ofTheService && reason !== 'DRAINING' ? 'refused' : 'lost';
  }
  if (ofTheService) return 'answered';
  return code === grpcStatus.DEADLINE_EXCEEDED && waited ? 'lost' : 'undecided';
}

/** Whether another server may do better. */
export const isAway = (sign: Sign): boolean => sign === 'lost' || sign === 'refused';

// What a server refuses is remembered for so many showtimes; the one that was first goes first.
const REFUSED_SHOWTIMES_MAX = 256;

/** One server. */
export class Server {
  readonly #presence: Presence;
  /** By showtime: a damaged one is refused by every server, and makes none of them away. */
  readonly #refused = new Map<string, Presence>();
  readonly #connect: () => Client;
  readonly #now: () => number;
  #channel: Client | undefined;

  constructor(
    readonly address: string,
    connect: () => Client,
    now: () => number,
  ) {
    this.#connect = connect;
    this.#now = now;
    this.#presence = new Presence(now);
  }

  /** Made when it is first used. */
  get channel(): Client {
    this.#channel ??= this.#connect();
    return this.#channel;
  }

  get state(): PresenceState {
    return this.#presence.state;
  }

  /** In how long it may be asked for the showtime; 0 is now. */
  waitMs(showtimeId: string): number {
    return Math.max(this.#presence.waitMs, this.#refused.get(showtimeId)?.waitMs ?? 0);
  }

  /** Whether it serves the showtime, as far as is known. */
  serves(showtimeId: string): boolean {
    return this.#presence.state === 'here' && !this.#refused.has(showtimeId);
  }

  asked(showtimeId: string): void {
    this.#presence.asked();
    this.#refused.get(showtimeId)?.asked();
  }

  heard(sign: Sign, showtimeId: string, askedForMs: number | undefined): void {
    const refused = this.#refused.get(showtimeId);
    switch (sign) {
      case 'answered':
        this.#presence.answered();
        refused?.answered();
        if (refused?.state === 'here') this.#refused.delete(showtimeId);
        break;
      case 'refused':
        this.#presence.answered();
        (refused ?? this.#refuse(showtimeId)).lost(askedForMs);
        break;
      case 'lost':
        this.#presence.lost(askedForMs);
        refused?.undecided();
        break;
      case 'undecided':
        this.#presence.undecided();
        refused?.undecided();
        break;
    }
  }

  /** Calls under way end as they would; later ones fail. */
  close(): void {
    this.#channel?.close();
  }

  #refuse(showtimeId: string): Presence {
    const [oldest] = this.#refused.keys();
    if (oldest !== undefined && this.#refused.size >= REFUSED_SHOWTIMES_MAX) {
      this.#refused.delete(oldest);
    }
    const presence = new Presence(this.#now);
    this.#refused.set(showtimeId, presence);
    return presence;
  }
}

/** Makes the channel to a server. */
export type Connect = (target: Target) => Client;

/** The one address of a client, or its `servers`, whatever they are. */
export type ServerList = { readonly address: string } | { readonly list: unknown };

/** All of them. One address alone, or a gRPC target, is one server, never looked up here. */
export class Servers {
  readonly #addresses: Addresses | undefined;
  readonly #connect: Connect;
  readonly #now: () => number;
  readonly #listeners = new Set<() => void>();
  #servers: readonly Server[];
  /** The first lookup of the list's names; undefined once it has ended. */
  #first: Promise<void> | undefined;
  #closed = false;

  /** Throws if the list is not one of servers. */
  constructor(of: ServerList, connect: Connect, lookup: Lookup, now = () => performance.now()) {
    this.#connect = connect;
    this.#now = now;
    if ('address' in of) {
      this.#servers = [this.#server({ address: of.address, host: undefined })];
      return;
    }
    this.#addresses = new Addresses(of.list, lookup, now);
    this.#servers = this.#addresses.targets().map((target) => this.#server(target));
    this.#first = this.#refresh()?.then(() => {
      this.#first = undefined;
    });
  }

  /** What calls wait for: the first lookup of names, or undefined. Never rejects. */
  ready(): Promise<void> | undefined {
    if (this.#first) return this.#first;
    void this.#refresh();
    return undefined;
  }

  /** Whether a showtime has more than one server to choose from. */
  get several(): boolean {
    return this.#servers.length > 1;
  }

  /** The most preferred first; never empty. */
  ranked(showtimeId: string): readonly Server[] {
    const servers = this.#servers;
    if (servers.length === 1) return servers;
    const addresses = servers.map(({ address }) => address);
    return rankServers(addresses, showtimeId).flatMap((place) => servers[place] ?? []);
  }

  /** Takes what an attempt said of the server. */
  heard(server: Server, sign: Sign, showtimeId: string, askedForMs?: number): void {
    const served = server.serves(showtimeId);
    server.heard(sign, showtimeId, askedForMs);
    if (server.serves(showtimeId) !== served) this.#changed();
  }

  /** Calls `run` if a server has gone or come back, and if the list is another one. */
  onChange(run: () => void): () => void {
    this.#listeners.add(run);
    return () => this.#listeners.delete(run);
  }

  close(): void {
    this.#closed = true;
    for (const server of this.#servers) server.close();
  }

  #server(target: Target): Server {
    return new Server(target.address, () => this.#connect(target), this.#now);
  }

  #refresh(): Promise<void> | undefined {
    const someAway = this.#servers.some(({ state }) => state !== 'here');
    return this.#addresses?.refresh(someAway, (targets) => this.#take(targets));
  }

  /** Servers that stay keep their channel and what is known of them. */
  #take(targets: readonly Target[]): void {
    const before = new Map(this.#servers.map((server) => [server.address, server]));
    if (this.#closed || targets.length === 0) return;
    const same = targets.every(({ address }) => before.has(address));
    if (same && targets.length === before.size) return;
    this.#servers = targets.map((target) => before.get(target.address) ?? this.#server(target));
    for (const server of this.#servers) before.delete(server.address);
    for (const gone of before.values()) gone.close();
    this.#changed();
  }

  #changed(): void {
    for (const run of [...this.#listeners]) run();
  }
}
