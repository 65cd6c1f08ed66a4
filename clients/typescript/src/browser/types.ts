// What users of the browser core see: a showtime that is followed, its seats, its connection.

import type { OwnSeat, Position, SeatUpdate } from './protocol.js';

/**
 * What a followed showtime is.
 * - `idle`: nobody follows it, so there is no socket
 * - `connecting`: for the first time; nothing is known but an initial snapshot
 * - `live`: each change is shown as it comes
 * - `stale`: the socket is open, but what is shown may be old: the seat service is away, or, with
 *   `error`, the edge refused this showtime; `retryAt` says when it is asked again
 * - `reconnecting`: the socket was lost; `retryAt` says when the next attempt is
 * - `closed`: the edge said not to come back (close codes 4000–4099); `reconnect()` tries anyway
 */
export type Status = 'idle' | 'connecting' | 'live' | 'stale' | 'reconnecting' | 'closed';

/** One seat. The same object until the seat changes. */
export interface SeatState {
  readonly status: 'available' | 'locked' | 'booked';
  /** The session holds it, or, for a booked seat, was seen to book it. */
  readonly mine: boolean;
  /** When the session's own lock lapses, in Unix ms by the server's clock. */
  readonly expiresAt?: number;
}

/** Why the connection is not live. */
export interface ConnectionError {
  /** A close code, or 0 where the socket failed without one, or an `error` frame came. */
  readonly closeCode: number;
  /**
   * `CLOSED`, `OFFLINE`, `TIMEOUT`, `SILENT` (the watchdog), `TOKEN` (the page's `token()` failed),
   * `TOKEN_REJECTED` (the edge rejected two tokens in a row), or the code of an `error` frame.
   */
  readonly code: string;
  readonly message: string;
}

/** The connection of one followed showtime. The same object until something in it changes. */
export interface ConnectionState {
  readonly status: Status;
  readonly error: ConnectionError | null;
  /**
   * When the next attempt is, Unix ms by this machine's clock; null: none is planned. The attempt
   * itself does not move with that clock.
   */
  readonly retryAt: number | null;
  /** What is shown may be old: true in any state but `live`. */
  readonly stale: boolean;
  /** The last (re)connection continued from the position before it, missing nothing. */
  readonly recovered: boolean;
}

/** What a server that renders the page knows: GetShowtime's answer, without holders. */
export interface InitialSnapshot extends Position {
  readonly bookedSeats: readonly string[];
  readonly lockedSeats: readonly string[];
  /** The session's own among `lockedSeats`. Left out: none is own until the edge says so. */
  readonly yourSeats?: readonly OwnSeat[];
}

/** The answer of every call to /api/seat-locks: all that the shopper holds, at a revision. */
export interface SeatLocksAnswer {
  readonly sessionId: string;
  readonly seats: readonly OwnSeat[];
  readonly revision: number;
  /** Unix ms. */
  readonly serverTime: number;
}

/** Gives a token for the edge: a JWT of at most 3 KiB. May throw or reject. */
export type TokenFunction = () => Promise<string>;

export interface ShowtimeOptions {
  /**
   * The edge: `wss://host/ws/seat-updates`, or a path on the page's own host.
   * Default `/ws/seat-updates`. `http:` and `https:` are read as `ws:` and `wss:`.
   * `showtime()` throws TypeError where it is no URL.
   */
  readonly url?: string;
  /** The shopper. Default: a viewer, whom no seat belongs to. */
  readonly sessionId?: string;
  /**
   * Fetches a token that names the session and what it may follow, for an edge that wants one: from
   * the site, such as `/api/seat-token`. Called once for all showtimes of the URL and session, so
   * the token must be good for all of them; again before each token ends, and once more if the edge
   * rejects one. If it fails it is called again after growing pauses. The function that was given
   * last is the one that is called. `sessionId` still says whose seats are `mine`.
   */
  readonly token?: TokenFunction;
  readonly initialSnapshot?: InitialSnapshot;
}

/**
 * A showtime as one session sees it: its seats, kept current while anybody follows it. All who ask
 * for the same showtime, URL and session in a page share one, and all showtimes of one URL and
 * session share one socket. Nothing is opened before `follow()`, so it may be made while rendering.
 */
export interface Showtime {
  readonly showtimeId: string;
  readonly url: string;
  readonly sessionId: string | undefined;

  /**
   * Opens the socket if it is not open. A second after the last one has called the returned
   * function it is closed; whoever follows again resumes.
   */
  follow(): () => void;
  /**
   * Tries at once, whatever pause was asked for, where the state is `reconnecting`, `closed`,
   * or `stale` with an `error` (200 ms apart, if many of a socket are). For a shopper's own wish:
   * nothing else goes around these pauses.
   */
  reconnect(): void;

  seat(seatId: string): SeatState;
  /** The seat in `initialSnapshot`: what a server rendered, for hydration. */
  initialSeat(seatId: string): SeatState;
  /** Calls `listener` after each change of this seat alone. Returns the way to end it. */
  onSeat(seatId: string, listener: () => void): () => void;

  /** The session's own locks, ordered by seat id. The same array until one changes. */
  ownSeats(): readonly OwnSeat[];
  initialOwnSeats(): readonly OwnSeat[];
  onOwnSeats(listener: () => void): () => void;

  connection(): ConnectionState;
  onConnection(listener: () => void): () => void;

  /** What is known; null before the first snapshot. */
  position(): Position | null;
  /**
   * Each change as it comes: a frame of a change, or, after a snapshot, one with cause `snapshot`
   * for each seat that differs from what was shown. An answer of /api/seat-locks makes none: its
   * change comes with the stream.
   */
  onUpdate(listener: (update: SeatUpdate) => void): () => void;

  /**
   * Shows what a call to /api/seat-locks answered, unless the stream is further already. An answer
   * to another session changes nothing.
   */
  apply(answer: SeatLocksAnswer): void;

  /**
   * The server's clock in Unix ms, estimated from frames and answers. It does not jump when this
   * machine's clock is set; after sleep it is right as soon as the edge has answered.
   */
  serverNow(): number;
  /** From the last change's commit to its arrival, in ms, beyond the fastest delivery seen. */
  lagMs(): number;
}
