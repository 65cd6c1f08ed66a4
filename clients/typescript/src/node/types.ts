// What users of the Node client pass and get: proto/seatlock/v1 with camelCase names, words for
// enums, Date for times and milliseconds for spans. Ids are UTF-8 without control characters:
// showtime, session and order ids 1–128 bytes, seat ids 1–40, request ids 1–64.

/**
 * What a seat is to everybody. `unspecified` is a status that this version does not know: the seat
 * is not available.
 */
export type SeatStatus = 'available' | 'locked' | 'booked' | 'blocked' | 'unspecified';

/** Which command made a change. `unspecified` is one that this version does not know. */
export type ChangeCause =
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
  | 'close'
  | 'reopen'
  | 'unspecified';

/**
 * What is known of an order: `unknown` never booked and was never barred, `open` has a booked seat,
 * `cancelled` never books again. `unspecified` is a state that this version does not know.
 */
export type OrderState = 'unknown' | 'open' | 'cancelled' | 'unspecified';

/** A place in a showtime's history: a revision means something only within its epoch. */
export interface Position {
  /** The identity of the history; empty for a showtime without changes. */
  readonly epoch: string;
  /** The last change that is known, 0 for none. */
  readonly revision: number;
}

/** The right of one session to one seat until `expireTime`. */
export interface Lock {
  readonly showtimeId: string;
  readonly seatId: string;
  readonly sessionId: string;
  /** When the lock lapses, by the server's clock. */
  readonly expireTime: Date;
  /** The revision of the grant; unmoved by extensions. */
  readonly fence: number;
}

/** One seat as it stands, or as it stood after a change. */
export interface Seat {
  readonly seatId: string;
  readonly status: SeatStatus;
  /**
   * In a snapshot, the holder of a locked seat. In a change, the holder after it; for a seat that
   * was freed, or blocked while it was locked, the one before.
   */
  readonly sessionId?: string;
  /** Of a locked seat alone. */
  readonly expireTime?: Date;
  /** The order of a booked seat; in a `cancel`, the order that the seat was freed from. */
  readonly orderId?: string;
}

/** Every seat of a showtime that is not available, at one revision. */
export interface ShowtimeSnapshot {
  readonly showtimeId: string;
  /** Empty where the showtime has no changes. */
  readonly epoch: string;
  /** 0 where the showtime has no changes. */
  readonly revision: number;
  /** Ordered by seat id. */
  readonly seats: readonly Seat[];
}

/** What one accepted command did, atomically. */
export interface Change {
  readonly showtimeId: string;
  readonly epoch: string;
  /** One more than the change before. */
  readonly revision: number;
  /** When it was decided, by the server's clock; never before the change before. */
  readonly commitTime: Date;
  readonly cause: ChangeCause;
  /** The seats that changed, after the change. Empty where a tombstone barred an order. */
  readonly seats: readonly Seat[];
}

/** What every mutation may carry. */
export interface Mutation {
  /**
   * 1–64 bytes: the same id and body gives the first answer again, for at least 60 minutes;
   * `LOCK_EXPIRED` if that was a lock that has ended: ask again with a new id.
   * Default: a random UUID, the same in all attempts of the call. Keep one of your own where a
   * process may end between asking and hearing.
   */
  readonly requestId?: string | undefined;
}

/** Names seats, or all that the session (for a cancellation, the order) has in the showtime. */
export type SomeSeats =
  | { readonly seatIds: readonly string[]; readonly all?: false | undefined }
  | { readonly all: true; readonly seatIds?: undefined };

/** Asks for one lock. */
export interface LockSeatRequest extends Mutation {
  readonly showtimeId: string;
  readonly seatId: string;
  readonly sessionId: string;
  /** 1 s to 2 h, in ms. Default: 10 minutes. */
  readonly ttlMs?: number | undefined;
  /** Lowers the server's --max-session-seats for this call. Default: the server's alone. */
  readonly maxSessionSeats?: number | undefined;
}

/** Asks for several locks, all or none. */
export interface LockSeatsRequest extends Mutation {
  readonly showtimeId: string;
  /** 1 to 100; repeats count once. */
  readonly seatIds: readonly string[];
  /** Up to 100 seats to free in the same step; what the session does not hold is ignored. */
  readonly releaseSeatIds?: readonly string[] | undefined;
  readonly sessionId: string;
  /** 1 s to 2 h, in ms. Default: 10 minutes. */
  readonly ttlMs?: number | undefined;
  /** Lowers the server's --max-session-seats for this call. Default: the server's alone. */
  readonly maxSessionSeats?: number | undefined;
}

/** Asks to free one seat that the session holds. */
export interface UnlockSeatRequest extends Mutation {
  readonly showtimeId: string;
  readonly seatId: string;
  readonly sessionId: string;
}

/** Asks to free several seats that the session holds, all or none. */
export type UnlockSeatsRequest = Mutation &
  SomeSeats & { readonly showtimeId: string; readonly sessionId: string };

/** Asks to move `expireTime` to the later of what it is and now + `ttlMs`, all or none. */
export type ExtendLocksRequest = Mutation &
  SomeSeats & {
    readonly showtimeId: string;
    readonly sessionId: string;
    /** 1 s to 2 h, in ms. Default: 10 minutes. */
    readonly ttlMs?: number | undefined;
  };

/** Asks to sell seats under an order, all or none. */
export interface BookSeatsRequest extends Mutation {
  readonly showtimeId: string;
  /**
   * Up to 100. Default: the seats of an order that is known, else all that the session holds.
   * Whoever took money names the seats.
   */
  readonly seatIds?: readonly string[] | undefined;
  readonly sessionId: string;
  /** Known for the showtime's life. */
  readonly orderId: string;
  /** By seat id: refuses with STALE_FENCE a seat that another session was granted since. */
  readonly fences?: Readonly<Record<string, number>> | undefined;
  /** Refuses seats that the session does not hold. Default false: free seats are booked too. */
  readonly onlyHeld?: boolean | undefined;
  /** Adds seats to an order that is known. Default false. */
  readonly addToOrder?: boolean | undefined;
}

/** Asks to take a sale back, whole or in part. */
export type CancelBookingRequest = Mutation &
  SomeSeats & {
    readonly showtimeId: string;
    readonly orderId: string;
    /** Bars an order that never came, so that it cannot book later. Default false. */
    readonly tombstone?: boolean | undefined;
  };

/** Asks for an order. */
export interface GetOrderRequest {
  readonly showtimeId: string;
  readonly orderId: string;
}

/** Asks for every seat of a showtime that is not available. */
export interface GetShowtimeRequest {
  readonly showtimeId: string;
}

/** Asks for the locks of a session. */
export interface ListSessionLocksRequest {
  readonly showtimeId: string;
  readonly sessionId: string;
}

/** Asks for a page of the showtimes. */
export interface ListShowtimesRequest {
  /** The most to return. Default 100; more than 1,000 counts as 1,000. */
  readonly pageSize?: number | undefined;
  /** `nextPageToken` of the page before, unchanged. Default: the first page. */
  readonly pageToken?: string | undefined;
}

/** Asks to follow a showtime. */
export interface WatchShowtimeRequest {
  readonly showtimeId: string;
  /** Continue after this position; a snapshot comes where it is no longer kept. */
  readonly resume?: Position | undefined;
}

/** What a mutation answers. */
export interface Answer {
  /** The revision of the change; of the showtime where nothing changed. */
  readonly revision: number;
  /** The server's clock when it answered. */
  readonly serverTime: Date;
}

export interface LockSeatResponse extends Answer {
  /** The lock as it stands. */
  readonly lock: Lock;
}

export interface LockSeatsResponse extends Answer {
  /** One for each seat asked for, in that order. */
  readonly locks: readonly Lock[];
}

export interface ExtendLocksResponse extends Answer {
  /** In the order asked for; with `all`, by seat id. Empty where the session holds nothing. */
  readonly locks: readonly Lock[];
}

export interface BookSeatsResponse extends Answer {
  /** Every seat that the order has now, ordered by seat id. */
  readonly bookedSeatIds: readonly string[];
}

export interface GetOrderResponse {
  readonly state: OrderState;
  /** The seats that are booked under it, ordered by seat id. */
  readonly seatIds: readonly string[];
  /** The revision of the showtime that this holds at. */
  readonly revision: number;
}

export interface GetShowtimeResponse {
  readonly snapshot: ShowtimeSnapshot;
  /** The server's clock when it answered. */
  readonly serverTime: Date;
}

/** The locks, ordered by seat id, at a revision of the showtime. */
export interface ListSessionLocksResponse extends Answer {
  readonly locks: readonly Lock[];
}

/**
 * How a showtime stands, in numbers. Nobody can count the seats of a showtime whose stored history
 * is damaged: it has no numbers and no `closed`.
 */
export interface ShowtimeSummary {
  readonly showtimeId: string;
  /** The identity of its history. Empty only if damage hides it. */
  readonly epoch: string;
  /** Its last change. 0 only if damage hides it. */
  readonly revision: number;
  /** Seats that sessions hold. A lock that has lapsed is not counted. */
  readonly locked?: number;
  /** Seats that are sold. */
  readonly booked?: number;
  /** Seats that are withheld from sale. */
  readonly blocked?: number;
  /** Whether it is closed for sale. */
  readonly closed?: boolean;
  /** When its last change was decided, by the server's clock. Absent only if damage hides it. */
  readonly lastChangeTime?: Date;
}

export interface ListShowtimesResponse {
  /** By id, byte by byte. There may be fewer than asked for, even none, though more follow. */
  readonly showtimes: readonly ShowtimeSummary[];
  /** Where the next page begins. Empty: this was the last one. */
  readonly nextPageToken: string;
}

/**
 * What a watch yields.
 * - `snapshot`: whole, its pieces put together; stands in place of all before. `replaces`: the
 *   watch resumed from a position that is no longer kept, or fell behind
 * - `change`: the next change, in order, once each, without holes
 * - `progress`: nothing new; everything up to `position` was seen
 */
export type WatchEvent =
  | {
      readonly type: 'snapshot';
      readonly snapshot: ShowtimeSnapshot;
      readonly replaces: boolean;
    }
  | { readonly type: 'change'; readonly change: Change }
  | { readonly type: 'progress'; readonly position: Position };
