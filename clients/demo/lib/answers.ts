// What a refusal looks like over HTTP: its status by the reason, in one table, and a body that
// names every seat in the way and never who holds it.

import { isSeatLockError, type SeatLockError } from '@seatlock/client/node';

export interface RefusedSeat {
  readonly seatId: string;
  /** `available`, `locked`, `booked` or `blocked`; `unknown` where the hall has no such seat. */
  readonly status: string;
}

export interface RefusalBody {
  /** The reason: one of SeatLock's, or one of the site's own. */
  readonly code: string;
  /** For people. */
  readonly message: string;
  readonly seats: readonly RefusedSeat[];
}

/** SeatLock's reasons, then what gRPC says by itself, then the site's own. */
export const STATUS: Readonly<Record<string, number>> = {
  INVALID_FIELD: 400,
  REQUEST_ID_REUSED: 400,
  UNKNOWN_SEAT: 404,
  UNKNOWN_ORDER: 404,
  ORDER_CANCELLED: 409,
  ORDER_MISMATCH: 409,
  NOTHING_HELD: 409,
  SEAT_TAKEN: 409,
  NOT_LOCK_HOLDER: 409,
  STALE_FENCE: 409,
  SESSION_SEAT_LIMIT: 409,
  ORDER_SEAT_LIMIT: 409,
  EXTEND_LIMIT: 409,
  LOCK_EXPIRED: 409,
  SNAPSHOT_TOO_LARGE: 409,
  OVERLOADED: 429,
  RATE_LIMITED: 429,
  STORE_UNAVAILABLE: 503,
  OUTCOME_UNKNOWN: 503,
  DRAINING: 503,

  UNAVAILABLE: 503,
  DEADLINE_EXCEEDED: 503,

  FORBIDDEN_ORIGIN: 403,
  UNKNOWN_SHOWTIME: 404,
  NO_TOKENS: 404,
  BODY_TOO_LARGE: 413,
  JSON_ONLY: 415,
};

const MESSAGES: Readonly<Record<string, string>> = {
  SEAT_TAKEN: 'Somebody else has it.',
  NOT_LOCK_HOLDER: 'The seat is no longer yours.',
  SESSION_SEAT_LIMIT: 'You hold as many seats as one shopper may.',
  ORDER_SEAT_LIMIT: 'The order has as many seats as one order may.',
  EXTEND_LIMIT: 'The seats were held as long as they may be.',
  LOCK_EXPIRED: 'That took too long: the seats are free again. Try again.',
  ORDER_CANCELLED: 'The order was cancelled.',
  ORDER_MISMATCH: 'The order has other seats.',
  OVERLOADED: 'The seat service is busy. Try again.',
  RATE_LIMITED: 'Too many calls. Try again.',
  OUTCOME_UNKNOWN: 'The seat service did not answer: it may or may not be done. Look again.',
};

const AWAY = 'The seat service is away. Try again.';
/** Where nobody says when to come back. */
const RETRY_AFTER_MS = 1_000;

/** Nobody but the shopper has use for an answer, and it is old at once. */
const HEADERS = { 'Cache-Control': 'no-store' };

export function answer(body: unknown): Response {
  return Response.json(body, { headers: HEADERS });
}

/** Refuses with a code of `STATUS`; one that is not there is our own mistake: 500. */
export function refuse(
  code: string,
  message: string,
  seats: readonly RefusedSeat[] = [],
  retryAfterMs?: number,
): Response {
  const status = STATUS[code] ?? 500;
  const body: RefusalBody = { code, message, seats };
  const headers = new Headers(HEADERS);
  if (status === 429 || status === 503) {
    const seconds = Math.ceil((retryAfterMs ?? RETRY_AFTER_MS) / 1000);
    headers.set('Retry-After', String(Math.max(1, seconds)));
  }
  return Response.json(body, { status, headers });
}

/**
 * The answer to what a call threw. What is not SeatLock's word is thrown again. `changed`: the call
 * had changed something by then, so its failure must not pass for a refusal.
 */
export function refuseError(error: unknown, changed = false): Response {
  if (!isSeatLockError(error)) {
    throw error;
  }
  const code = changed ? 'OUTCOME_UNKNOWN' : codeOf(error);
  const seats = error.conflicts.map(({ seatId, status }) => ({ seatId, status }));
  return refuse(code, messageOf(code, error), seats, error.retryAfterMs);
}

/** Whether SeatLock looked and said no; else it was away, busy or in doubt. */
export function isRefusal(error: SeatLockError): boolean {
  return (STATUS[codeOf(error)] ?? 500) < 429;
}

/** Without a reason of SeatLock's, whether the call may have worked is what counts. */
function codeOf(error: SeatLockError): string {
  if (error.outcome === 'unknown') {
    return 'OUTCOME_UNKNOWN';
  }
  return Object.hasOwn(STATUS, error.reason) ? error.reason : 'UNAVAILABLE';
}

function messageOf(code: string, error: SeatLockError): string {
  return MESSAGES[code] ?? (STATUS[code] === 503 ? AWAY : error.message);
}
