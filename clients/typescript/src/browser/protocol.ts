// The frames between edge and browser, as docs/websocket.md has them. Times are Unix milliseconds
// by the server's clock. Receivers ignore types, fields and causes that they do not know; a status
// that they do not know means not available.

/** What a frame says of a seat. */
export type SeatWord = 'locked' | 'unlocked' | 'booked';

/** Which command made a change; `snapshot` is the client's own, for what a snapshot changed. */
export type Cause =
  | 'lock'
  | 'unlock'
  | 'swap'
  | 'extend'
  | 'expired'
  | 'book'
  | 'cancel'
  | 'block'
  | 'unblock'
  | 'release'
  | 'snapshot';

/** A place in a showtime's history. A revision means something only within its epoch. */
export interface Position {
  readonly epoch: string;
  readonly revision: number;
}

/** A seat that the session holds, until when. */
export interface OwnSeat {
  readonly seatId: string;
  readonly expiresAt: number;
}

/** One seat's change. `sessionId` and `expiresAt` reach only whom they concern. */
export interface SeatUpdate {
  readonly type: 'seat_status_change';
  readonly showtimeId: string;
  readonly seatId: string;
  readonly status: SeatWord;
  readonly sessionId?: string;
  readonly timestamp: number;
  readonly revision: number;
  readonly cause?: Cause;
  readonly expiresAt?: number;
  /** Further frames of the same change follow. */
  readonly more?: boolean;
  /** Stands in the frames of revision 1. */
  readonly epoch?: string;
}

export interface Subscribed {
  readonly type: 'subscribed';
  readonly showtimeId: string;
  readonly timestamp: number;
  readonly epoch: string;
  readonly revision: number;
  readonly recovered: boolean;
  readonly yourSeats: readonly OwnSeat[];
  /** The seat service is away: what follows may be old. */
  readonly live?: false;
}

export interface CurrentSeatStatus {
  readonly type: 'current_seat_status';
  readonly showtimeId: string;
  readonly bookedSeats: readonly string[];
  readonly lockedSeats: readonly string[];
  readonly timestamp: number;
  readonly epoch: string;
  readonly revision: number;
}

export interface StreamStatus {
  readonly type: 'stream_status';
  readonly showtimeId: string;
  readonly live: boolean;
  readonly timestamp: number;
}

export interface ErrorFrame {
  readonly type: 'error';
  readonly code: string;
  readonly message: string;
  /** Whose subscription is over, or did not come to be; the others go on. */
  readonly showtimeId?: string;
  /** How long to wait before subscribing to it again, in ms. */
  readonly retryAfterMs?: number;
}

export interface Plain {
  readonly type: 'connection_established' | 'unsubscribed' | 'pong' | 'heartbeat';
  readonly showtimeId?: string;
  readonly sessionId?: string;
  readonly timestamp: number;
}

export type ServerFrame =
  | SeatUpdate
  | Subscribed
  | CurrentSeatStatus
  | StreamStatus
  | ErrorFrame
  | Plain;

export type ClientFrame =
  | {
      readonly type: 'subscribe';
      readonly showtimeId: string;
      readonly sessionId?: string;
      readonly resume?: Position;
      readonly heartbeat?: true;
      readonly token?: string;
    }
  | { readonly type: 'unsubscribe'; readonly showtimeId?: string }
  | { readonly type: 'ping' };
