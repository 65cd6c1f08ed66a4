// A scripted SeatLock in memory: the edge's WebSocket and the site's /api/seat-locks, for tests of
// pages that show seats. No network, no backend; fake timers drive its heartbeats and expiries.

import type { ClientFrame, ServerFrame } from '../browser/protocol.js';
import type { InitialSnapshot } from '../browser/types.js';
import { bytesOf, readClientFrame } from './client_frames.js';
import { answerCall, callOf, type FakeCall, refusal } from './fake_routes.js';
import { type FakeChange, type FakeSeat, FakeShowtime } from './fake_showtime.js';
import { FakeSocket } from './fake_socket.js';
import { type FakeClaims, type FakeTokenOptions, FakeTokens } from './fake_tokens.js';

const TTL_MS = 600_000;
const HEARTBEAT_MS = 15_000;
const SUBSCRIPTIONS_MAX = 64;
const BAD_MESSAGES_MAX = 3;
/** The one that is spoken here; the edge knows `seatlock.v1.batch`, too. */
const PROTOCOL = 'seatlock.v1.json';
const MESSAGE_BYTES_MAX = 4_096;
const UNAVAILABLE = 'SHOWTIME_UNAVAILABLE';
const RECORDS_MAX = 10_000;
/** What setTimeout takes. */
const TIMER_MS_MAX = 2 ** 31 - 1;

/** What the next call of /api/seat-locks meets, instead of being carried out. */
export type FakeFailure =
  | {
      readonly status: number;
      readonly code: string;
      readonly seats?: readonly { readonly seatId: string; readonly status: string }[];
    }
  /** The request fails without an answer. */
  | 'network'
  /** No answer comes, until the caller gives up. */
  | 'hang';

/** How the edge refuses a showtime. */
export interface FakeShowtimeRefusal {
  /**
   * Default `SHOWTIME_UNAVAILABLE`, which ends the subscriptions that there are, too.
   * `RATE_LIMITED` and others meet only those who subscribe.
   */
  readonly code?: string;
  /** Default 1,000; null: the frame does not say. */
  readonly retryAfterMs?: number | null;
}

export interface FakeSeatServerOptions {
  /** The shopper whom the routes' cookie names. Default `shopper`. */
  readonly sessionId?: string;
  /** Where the routes are. Default `/api/seat-locks`. */
  readonly apiUrl?: string;
  /** The server's clock, Unix ms. Default: this machine's. */
  readonly now?: () => number;
  /**
   * Whether the edge wants tokens of `token()`, and takes no other. Default: it ignores tokens, as
   * an edge without `--token-jwks`.
   */
  readonly requireToken?: boolean;
}

/**
 * ```ts
 * const server = new FakeSeatServer({ sessionId: 'me' });
 * const undo = server.install();
 * server.lock('123', ['A06'], 'somebody else');
 * // … render, and expect A06 to be taken
 * server.book('123', ['A06']);
 * undo();
 * ```
 * Frames and answers arrive in microtasks, so `await` something before looking. A command of the
 * script that the real server would refuse throws an Error that says why.
 */
export class FakeSeatServer {
  /** The shopper whom the routes' cookie names: whoever calls /api/seat-locks is this one. */
  sessionId: string;
  /** All frames that pages sent, oldest first; the last 10,000. */
  readonly received: ClientFrame[] = [];
  /** All calls of /api/seat-locks, oldest first; the last 10,000. */
  readonly calls: FakeCall[] = [];

  private readonly apiUrl: string;
  private readonly now: () => number;
  private readonly showtimes = new Map<string, FakeShowtime>();
  private readonly expiries = new Map<string, ReturnType<typeof setTimeout>>();
  private readonly sockets = new Set<FakeSocket>();
  private readonly away = new Set<string>();
  private readonly refusals = new Map<string, FakeShowtimeRefusal>();
  private readonly failures: FakeFailure[] = [];
  private readonly tokens = new FakeTokens();
  private readonly requireToken: boolean;
  private allAway = false;
  private refusing = false;
  private delayMs = 0;
  private ids = 0;

  constructor(options: FakeSeatServerOptions = {}) {
    this.sessionId = options.sessionId ?? 'shopper';
    this.apiUrl = options.apiUrl ?? '/api/seat-locks';
    this.now = options.now ?? (() => Date.now());
    this.requireToken = options.requireToken ?? false;
  }

  /**
   * Replaces `globalThis.WebSocket`, and `globalThis.fetch` for the routes' URL alone. The returned
   * function puts both back, ends all timers and closes all sockets with 4000, so that no page
   * comes back to it.
   */
  install(): () => void {
    const { WebSocket: realSocket, fetch: realFetch } = globalThis;
    const peer = {
      accept: (socket: FakeSocket) => this.accept(socket),
      receive: (socket: FakeSocket, data: string) => this.receive(socket, data),
      gone: (socket: FakeSocket) => this.sockets.delete(socket),
    };
    class InstalledSocket extends FakeSocket {
      constructor(url: string | URL, protocols: string | string[] = []) {
        super(url, peer, [protocols].flat());
      }
    }
    globalThis.WebSocket = InstalledSocket as unknown as typeof WebSocket;
    globalThis.fetch = (input, init) =>
      this.isCall(input) ? this.fetch(input, init) : realFetch(input, init);
    return () => {
      globalThis.WebSocket = realSocket;
      globalThis.fetch = realFetch;
      this.refusing = true;
      for (const timer of this.expiries.values()) clearTimeout(timer);
      this.expiries.clear();
      for (const socket of [...this.sockets]) socket.endNow(4000, 'the fake server was removed');
    };
  }

  /** Sockets that are open. */
  get connections(): number {
    return this.sockets.size;
  }

  /** The routes alone, for `seatLocks({ fetch: server.fetch })`. */
  readonly fetch = async (input: RequestInfo | URL, init?: RequestInit): Promise<Response> => {
    const signal = init?.signal;
    signal?.throwIfAborted();
    const call = await callOf(input, init);
    record(this.calls, call);
    const failure = this.failures.shift();
    if (failure === 'hang') return aborted(signal);
    if (this.delayMs) await Promise.race([later(this.delayMs), aborted(signal)]);
    if (failure === 'network') throw new TypeError('fetch failed');
    if (failure) return refusal(failure.status, failure.code, failure.code, failure.seats);
    return answerCall(call, (showtimeId) => this.showtime(showtimeId), this.sessionId, TTL_MS);
  };

  // ---- What other shoppers, the till and the clock do -----------------------------------------

  /** Default `ttlMs`: ten minutes, after which the lock lapses by itself. */
  lock(
    showtimeId: string,
    seatIds: readonly string[],
    sessionId: string,
    options: { readonly ttlMs?: number } = {},
  ): void {
    this.showtime(showtimeId).lock(seatIds, sessionId, options.ttlMs ?? TTL_MS, []);
  }

  unlock(showtimeId: string, seatIds: readonly string[], sessionId: string): void {
    this.showtime(showtimeId).unlock(seatIds, sessionId);
  }

  extend(
    showtimeId: string,
    seatIds: readonly string[],
    sessionId: string,
    options: { readonly ttlMs?: number } = {},
  ): void {
    this.showtime(showtimeId).extend(seatIds, sessionId, options.ttlMs ?? TTL_MS);
  }

  /** Without `sessionId` the holder buys, and a free seat is sold at the box office. */
  book(showtimeId: string, seatIds: readonly string[], sessionId?: string): void {
    this.showtime(showtimeId).book(seatIds, sessionId);
  }

  /** The locks of these seats lapse now. */
  expire(showtimeId: string, seatIds: readonly string[]): void {
    this.showtime(showtimeId).expire(seatIds);
  }

  /** What was booked becomes available. */
  cancel(showtimeId: string, seatIds: readonly string[]): void {
    this.showtime(showtimeId).cancel(seatIds);
  }

  /**
   * What a server that renders a page for `sessionId` (default: the cookie's shopper) knows now.
   * Also what is true, to compare with what a page shows.
   */
  initialSnapshot(showtimeId: string, sessionId = this.sessionId): Required<InitialSnapshot> {
    const showtime = this.showtime(showtimeId);
    const { epoch, revision, seats } = showtime.now();
    const ids = (status: FakeSeat['status']) =>
      [...seats.keys()].filter((seatId) => seats.get(seatId)?.status === status).sort();
    return {
      epoch,
      revision,
      bookedSeats: ids('booked'),
      lockedSeats: ids('locked'),
      yourSeats: showtime.locksOf(sessionId),
    };
  }

  /** The service lost what it knew: followers get an empty snapshot of another history. */
  newEpoch(showtimeId: string): void {
    const showtime = this.showtime(showtimeId);
    showtime.newEpoch();
    this.planExpiry(showtime);
    if (!this.isAway(showtimeId)) this.tellSnapshot(showtime);
  }

  // ---- What goes wrong ------------------------------------------------------------------------

  /**
   * The edge loses the service, of one showtime or of all: followers are told `live:false`, once.
   * Whoever comes meanwhile is shown what the edge knows, which is nothing of a showtime that
   * nobody followed before.
   */
  goStale(showtimeId?: string): void {
    for (const showtime of this.some(showtimeId)) {
      if (this.isAway(showtime.showtimeId)) continue;
      showtime.told = showtime.now();
      this.away.add(showtime.showtimeId);
      for (const socket of this.followers(showtime.showtimeId)) {
        this.tellLive(socket, showtime, false);
      }
    }
    if (showtimeId === undefined) this.allAway = true;
  }

  /** The service is back: what was missed follows, then `live:true`. */
  goLive(showtimeId?: string): void {
    if (showtimeId === undefined) this.allAway = false;
    for (const showtime of this.some(showtimeId)) {
      if (this.away.delete(showtime.showtimeId)) this.comeBack(showtime);
    }
  }

  /**
   * The edge cannot follow the showtime: who subscribes to it is refused, until `allow`. Followers
   * are refused at once; a real edge tells them `live:false` first, and asks the service on for
   * 10 s (`goStale`, then `refuse` 10 s later).
   */
  refuse(showtimeId: string, refusal: FakeShowtimeRefusal = {}): void {
    this.refusals.set(showtimeId, refusal);
    if ((refusal.code ?? UNAVAILABLE) !== UNAVAILABLE) return;
    for (const socket of this.followers(showtimeId)) this.tellRefusal(socket, showtimeId, refusal);
  }

  /** The edge follows it again for those who subscribe; it tells nobody. */
  allow(showtimeId: string): void {
    this.refusals.delete(showtimeId);
  }

  /** Closes all connections with a code; 1006 is a broken network. */
  closeAll(code: number, reason = ''): void {
    for (const socket of [...this.sockets]) socket.end(code, reason);
  }

  /** New connections fail, until it is called with false. */
  refuseConnections(refuse: boolean): void {
    this.refusing = refuse;
  }

  /** A token of the site's, for `requireToken`. Each call makes another one. */
  token(options: FakeTokenOptions = {}): string {
    return this.tokens.mint({ sessionId: this.sessionId, ...options }, this.now());
  }

  /** Tokens that were made before are rejected from now on, when a page sends them. */
  changeTokenKey(): void {
    this.tokens.changeKey();
  }

  /** Sends a frame, or any text, to all connections. */
  send(rawFrame: string | object): void {
    const text = typeof rawFrame === 'string' ? rawFrame : JSON.stringify(rawFrame);
    for (const socket of this.sockets) socket.deliver(text);
  }

  /** The next call of /api/seat-locks is not carried out; several queue up. */
  failNextCall(failure: FakeFailure): void {
    this.failures.push(failure);
  }

  /** From now on each call is carried out and answered this much later. */
  delayCalls(ms: number): void {
    this.delayMs = ms;
  }

  // ---- The edge -------------------------------------------------------------------------------

  private accept(socket: FakeSocket): boolean {
    if (this.refusing || !socket.choose(PROTOCOL)) return false;
    this.sockets.add(socket);
    const sessionId = `connection-${++this.ids}`;
    send(socket, { type: 'connection_established', sessionId, timestamp: this.now() });
    return true;
  }

  private receive(socket: FakeSocket, data: string): void {
    if (!this.sockets.has(socket)) return;
    if (bytesOf(data) > MESSAGE_BYTES_MAX) {
      socket.end(1009, 'message too big');
      return;
    }
    const { frame, bad } = readClientFrame(data);
    if (bad) {
      send(socket, { type: 'error', ...bad });
      if (bad.code === 'UNKNOWN_TYPE') return;
      if (++socket.badMessages >= BAD_MESSAGES_MAX) socket.end(4000, 'bad messages');
      return;
    }
    record(this.received, frame);
    if (frame.type === 'subscribe') this.subscribe(socket, frame);
    else if (frame.type === 'unsubscribe') this.unsubscribe(socket, frame.showtimeId);
    else send(socket, { type: 'pong', timestamp: this.now() });
  }

  private subscribe(socket: FakeSocket, frame: Extract<ClientFrame, { type: 'subscribe' }>): void {
    const { showtimeId, resume } = frame;
    const { subscriptions } = socket;
    let { sessionId } = frame;
    let tokenEndsAt: number | undefined;
    // Also of one that is refused: its page waits to try again.
    if (frame.heartbeat) this.beat(socket);
    if (this.requireToken) {
      if (frame.token === undefined) {
        subscriptions.delete(showtimeId);
        const code = 'TOKEN_REQUIRED';
        send(socket, { type: 'error', code, message: 'a token is wanted', showtimeId });
        return;
      }
      const judged = this.tokens.judge(frame.token, showtimeId, this.now());
      if ('closeCode' in judged) {
        socket.end(judged.closeCode, judged.reason);
        return;
      }
      ({ sessionId, endsAt: tokenEndsAt } = judged);
      if (this.refresh(socket, showtimeId, judged)) return;
    }
    if (!subscriptions.has(showtimeId) && subscriptions.size >= SUBSCRIPTIONS_MAX) {
      const code = 'TOO_MANY_SUBSCRIPTIONS';
      send(socket, { type: 'error', code, message: 'at most 64', showtimeId });
      return;
    }
    const refusal = this.refusals.get(showtimeId);
    if (refusal) {
      this.tellRefusal(socket, showtimeId, refusal);
      return;
    }
    subscriptions.set(showtimeId, { sessionId, resume, active: false, tokenEndsAt });
    this.planTokenEnd(socket);
    const showtime = this.showtime(showtimeId);
    if (!this.isAway(showtimeId)) this.admit(socket, showtime);
    else this.admitAway(socket, showtime);
  }

  /** The same session and a token that ends later: the subscription goes on, and hears nothing. */
  private refresh(socket: FakeSocket, showtimeId: string, claims: FakeClaims): boolean {
    const found = socket.subscriptions.get(showtimeId);
    if (found?.tokenEndsAt === undefined || found.sessionId !== claims.sessionId) return false;
    if (claims.endsAt <= found.tokenEndsAt) return false;
    found.tokenEndsAt = claims.endsAt;
    this.planTokenEnd(socket);
    return true;
  }

  private planTokenEnd(socket: FakeSocket): void {
    clearTimeout(socket.tokenEnd);
    const ends = [...socket.subscriptions.values()].map((one) => one.tokenEndsAt ?? Infinity);
    const ms = Math.min(...ends) - this.now();
    if (ms < TIMER_MS_MAX)
      socket.tokenEnd = setTimeout(() => socket.end(4202, 'token expired'), ms);
  }

  private tellRefusal(
    socket: FakeSocket,
    showtimeId: string,
    { code = UNAVAILABLE, retryAfterMs = 1_000 }: FakeShowtimeRefusal,
  ): void {
    socket.subscriptions.delete(showtimeId);
    const message = code === UNAVAILABLE ? 'the showtime cannot be followed now' : 'too many';
    const asked = retryAfterMs === null ? {} : { retryAfterMs };
    send(socket, { type: 'error', code, message, showtimeId, ...asked });
  }

  /** Without a showtime one frame for each that was followed, or one that names none. */
  private unsubscribe(socket: FakeSocket, showtimeId?: string): void {
    const { subscriptions } = socket;
    const left = showtimeId === undefined ? [...subscriptions.keys()] : [showtimeId];
    for (const one of left) subscriptions.delete(one);
    this.planTokenEnd(socket);
    const type = 'unsubscribed';
    const timestamp = this.now();
    if (!left.length) send(socket, { type, timestamp });
    for (const one of left) send(socket, { type, showtimeId: one, timestamp });
  }

  private beat(socket: FakeSocket): void {
    socket.heartbeat ??= setInterval(
      () => send(socket, { type: 'heartbeat', timestamp: this.now() }),
      HEARTBEAT_MS,
    );
  }

  /** `away`: what is shown may be old, which is said before what was missed. */
  private admit(socket: FakeSocket, showtime: FakeShowtime, away = false): void {
    const subscription = socket.subscriptions.get(showtime.showtimeId);
    if (!subscription) return;
    subscription.active = true;
    showtime.known = true;
    const { sessionId, resume } = subscription;
    const missed = resume ? showtime.missed(resume) : null;
    const { epoch, revision, seats } = showtime.told;
    send(socket, {
      type: 'subscribed',
      showtimeId: showtime.showtimeId,
      timestamp: this.now(),
      epoch,
      revision: missed && resume ? resume.revision : revision,
      recovered: missed !== null,
      yourSeats: showtime.locksOf(sessionId, seats),
      ...(away && { live: false }),
    });
    if (away) this.tellLive(socket, showtime, false);
    if (!missed) send(socket, showtime.snapshotFrame());
    for (const change of missed ?? []) this.sendChange(socket, showtime, change);
  }

  /** A position that is known is gone on from. Others see what the edge knows, if it is newer. */
  private admitAway(socket: FakeSocket, showtime: FakeShowtime): void {
    const subscription = socket.subscriptions.get(showtime.showtimeId);
    if (!subscription) return;
    const { resume } = subscription;
    const { epoch, revision } = showtime.told;
    if (!showtime.known) {
      this.tellLive(socket, showtime, false);
      return;
    }
    if (resume && showtime.missed(resume)) {
      this.admit(socket, showtime, true);
      return;
    }
    this.tellLive(socket, showtime, false);
    if (resume && !(resume.epoch === epoch && resume.revision < revision)) return;
    send(socket, showtime.snapshotFrame());
    subscription.resume = { epoch, revision };
  }

  private tellLive(socket: FakeSocket, { showtimeId }: FakeShowtime, live: boolean): void {
    send(socket, { type: 'stream_status', showtimeId, live, timestamp: this.now() });
  }

  private comeBack(showtime: FakeShowtime): void {
    const missed = showtime.toldAll();
    for (const socket of this.followers(showtime.showtimeId)) {
      if (!socket.subscriptions.get(showtime.showtimeId)?.active) this.admit(socket, showtime);
      else if (!missed) send(socket, showtime.snapshotFrame());
      else for (const change of missed) this.sendChange(socket, showtime, change);
      this.tellLive(socket, showtime, true);
    }
  }

  private tellSnapshot(showtime: FakeShowtime): void {
    showtime.told = showtime.now();
    for (const socket of this.followers(showtime.showtimeId)) {
      send(socket, showtime.snapshotFrame());
    }
  }

  private changed(showtime: FakeShowtime, change: FakeChange): void {
    this.planExpiry(showtime);
    if (this.isAway(showtime.showtimeId)) return;
    showtime.told = showtime.now();
    for (const socket of this.followers(showtime.showtimeId)) {
      this.sendChange(socket, showtime, change);
    }
  }

  private sendChange(socket: FakeSocket, showtime: FakeShowtime, change: FakeChange): void {
    const sessionId = socket.subscriptions.get(showtime.showtimeId)?.sessionId;
    for (const frame of showtime.changeFrames(change, sessionId)) send(socket, frame);
  }

  // ---- What there is --------------------------------------------------------------------------

  private showtime(showtimeId: string): FakeShowtime {
    const known = this.showtimes.get(showtimeId);
    if (known) return known;
    const made: FakeShowtime = new FakeShowtime(
      showtimeId,
      (change) => this.changed(made, change),
      this.now,
    );
    this.showtimes.set(showtimeId, made);
    if (this.allAway) this.away.add(showtimeId);
    return made;
  }

  private some(showtimeId: string | undefined): FakeShowtime[] {
    return showtimeId === undefined ? [...this.showtimes.values()] : [this.showtime(showtimeId)];
  }

  private isAway(showtimeId: string): boolean {
    return this.away.has(showtimeId);
  }

  private followers(showtimeId: string): FakeSocket[] {
    return [...this.sockets].filter((socket) => socket.subscriptions.has(showtimeId));
  }

  private planExpiry(showtime: FakeShowtime): void {
    clearTimeout(this.expiries.get(showtime.showtimeId));
    const next = showtime.nextExpiry();
    if (next === Number.POSITIVE_INFINITY) return;
    const lapse = () => {
      showtime.lapse(this.now());
      this.planExpiry(showtime);
    };
    const ms = Math.min(Math.max(0, next - this.now()), TIMER_MS_MAX);
    this.expiries.set(showtime.showtimeId, setTimeout(lapse, ms));
  }

  private isCall(input: RequestInfo | URL): boolean {
    const url = typeof Request !== 'undefined' && input instanceof Request ? input.url : input;
    const { pathname } = new URL(String(url), 'http://fake.test');
    return pathname === new URL(this.apiUrl, 'http://fake.test').pathname;
  }
}

export type { FakeCall };

function send(socket: FakeSocket, frame: ServerFrame): void {
  socket.deliver(JSON.stringify(frame));
}

function record<T>(records: T[], one: T): void {
  records.push(one);
  if (records.length > RECORDS_MAX) records.shift();
}

function later(ms: number): Promise<void> {
  return new Promise((resolve) => setTimeout(resolve, ms));
}

function aborted(signal: AbortSignal | null | undefined): Promise<never> {
  return new Promise((_, reject) => {
    signal?.addEventListener('abort', () => reject(signal.reason), { once: true });
  });
}
