// What a call fails with. The service says why in google.rpc details beside the gRPC status; this
// takes them out. Tell errors apart by `reason`, never by class: a program may hold two copies of
// this package.

import { status as grpcStatus, type StatusObject } from '@grpc/grpc-js';
import type { Any } from './gen/google/protobuf/any.js';
import { BadRequest, ErrorInfo, RetryInfo } from './gen/google/rpc/error_details.js';
import { Status } from './gen/google/rpc/status.js';
import { SeatConflicts } from './gen/seatlock/v1/seats.js';
import type { SeatStatus } from './types.js';
import { seatStatus } from './words.js';

/**
 * Why a call failed: a reason of the service (docs/guarantees.md says what each promises), else the
 * name of the gRPC status, such as `UNAVAILABLE` or `CANCELLED`, else `CLIENT_CLOSED`.
 */
export type Reason =
  | 'INVALID_FIELD'
  | 'REQUEST_ID_REUSED'
  | 'UNKNOWN_SEAT'
  | 'UNKNOWN_ORDER'
  | 'ORDER_CANCELLED'
  | 'ORDER_MISMATCH'
  | 'NOTHING_HELD'
  | 'SEAT_TAKEN'
  | 'NOT_LOCK_HOLDER'
  | 'STALE_FENCE'
  | 'SESSION_SEAT_LIMIT'
  | 'ORDER_SEAT_LIMIT'
  | 'EXTEND_LIMIT'
  | 'LOCK_EXPIRED'
  | 'SNAPSHOT_TOO_LARGE'
  | 'OVERLOADED'
  | 'RATE_LIMITED'
  | 'STORE_UNAVAILABLE'
  | 'OUTCOME_UNKNOWN'
  | 'DRAINING'
  | 'UNAVAILABLE'
  | 'DEADLINE_EXCEEDED'
  | 'CANCELLED'
  | 'CLIENT_CLOSED'
  | (string & {});

/** A seat that stood in the way of a call. Never says who holds it. */
export interface Conflict {
  readonly seatId: string;
  readonly status: SeatStatus;
  /** Why it stood in the way, such as `SEAT_TAKEN`. */
  readonly reason: Reason;
}

/** A field that is out of bounds, by its name in the proto, such as `seat_ids`. */
export interface FieldViolation {
  readonly field: string;
  readonly description: string;
}

/** What the service said with a refusal. */
export interface ErrorDetails {
  /** ErrorInfo's reason; undefined where the service said none, such as without a connection. */
  readonly reason: string | undefined;
  readonly metadata: Readonly<Record<string, string>>;
  readonly conflicts: readonly Conflict[];
  readonly fieldViolations: readonly FieldViolation[];
  readonly retryAfterMs: number | undefined;
}

/** What every call and watch of the client fails with. */
export class SeatLockError extends Error {
  override readonly name = 'SeatLockError';
  /** Tells errors apart. */
  readonly reason: Reason;
  /** The gRPC status code, such as 9 for FAILED_PRECONDITION. */
  readonly code: number;
  /** What the service adds to the reason, such as `{limit: '8', held: '8'}`. */
  readonly metadata: Readonly<Record<string, string>>;
  /** Every seat that stood in the way, in the order of the request. */
  readonly conflicts: readonly Conflict[];
  /** Of an `INVALID_FIELD`. */
  readonly fieldViolations: readonly FieldViolation[];
  /** When the service wants to be asked again, if it said so. */
  readonly retryAfterMs: number | undefined;
  /**
   * `none`: no attempt had changed anything when this failure was decided. `unknown`: one may have;
   * ask again with the same `requestId` and body.
   *
   * An attempt without an answer may still be under way when a later one is refused, and be done
   * after that. A lock that is taken so ends by its `ttl` or by an unlock after it. If you give up
   * on an order, call `cancelBooking` with `all` and `tombstone`: that bars it.
   */
  readonly outcome: 'none' | 'unknown';
  /** Of a mutation: the id that all its attempts carried. */
  readonly requestId: string | undefined;
  /** Which server was asked last, as the client knows it; undefined if none was. */
  readonly server: string | undefined;

  constructor(message: string, fields: SeatLockErrorFields, options?: ErrorOptions) {
    super(message, options);
    this.reason = fields.reason;
    this.code = fields.code;
    this.metadata = fields.metadata ?? {};
    this.conflicts = fields.conflicts ?? [];
    this.fieldViolations = fields.fieldViolations ?? [];
    this.retryAfterMs = fields.retryAfterMs;
    this.outcome = fields.outcome ?? 'none';
    this.requestId = fields.requestId;
    this.server = fields.server;
  }
}

/** What a `SeatLockError` is made of: for tests of code that handles them. */
export interface SeatLockErrorFields {
  readonly reason: Reason;
  readonly code: number;
  readonly metadata?: Readonly<Record<string, string>> | undefined;
  readonly conflicts?: readonly Conflict[] | undefined;
  readonly fieldViolations?: readonly FieldViolation[] | undefined;
  readonly retryAfterMs?: number | undefined;
  readonly outcome?: 'none' | 'unknown' | undefined;
  readonly requestId?: string | undefined;
  readonly server?: string | undefined;
}

/** Whether `value` is an error of this client, whichever copy of the package made it. */
export function isSeatLockError(value: unknown): value is SeatLockError {
  if (typeof value !== 'object' || value === null) return false;
  const { name, reason, code, conflicts } = value as Partial<SeatLockError>;
  return (
    name === 'SeatLockError' &&
    typeof reason === 'string' &&
    typeof code === 'number' &&
    Array.isArray(conflicts)
  );
}

/** An INVALID_FIELD of the client's own: what cannot even be sent. */
export function invalidField(field: string, description: string): SeatLockError {
  return new SeatLockError(`${field}: ${description}`, {
    reason: 'INVALID_FIELD',
    code: grpcStatus.INVALID_ARGUMENT,
    fieldViolations: [{ field, description }],
  });
}

/** What is known of a call beside its last answer. */
export interface Asked {
  readonly outcome: 'none' | 'unknown';
  readonly requestId?: string | undefined;
  /** Undefined before the first attempt. */
  readonly server?: string | undefined;
  /** There are others, so the message says which one it was. */
  readonly ofSeveral?: boolean | undefined;
}

/** An answer that cannot be read, such as one with a revision above 2^53. */
export function brokenAnswer(cause: unknown, asked: Asked): SeatLockError {
  const why = cause instanceof Error ? cause.message : String(cause);
  const fields = { reason: 'INTERNAL', code: grpcStatus.INTERNAL, ...asked };
  return new SeatLockError(`the service's answer cannot be read: ${why}`, fields, { cause });
}

export function clientClosed(): SeatLockError {
  return new SeatLockError('the client was closed', {
    reason: 'CLIENT_CLOSED',
    code: grpcStatus.CANCELLED,
  });
}

export function cancelled(signal: AbortSignal, asked: Asked): SeatLockError {
  const fields = { reason: 'CANCELLED', code: grpcStatus.CANCELLED, ...asked };
  return new SeatLockError('the call was cancelled', fields, { cause: signal.reason });
}

type Details = { -readonly [Key in keyof ErrorDetails]: ErrorDetails[Key] };

const NO_DETAILS: ErrorDetails = {
  reason: undefined,
  metadata: {},
  conflicts: [],
  fieldViolations: [],
  retryAfterMs: undefined,
};

/** The google.rpc details of a failed call; what is not such a message is ignored. */
export function detailsOf(status: StatusObject): ErrorDetails {
  const [bytes] = status.metadata.get('grpc-status-details-bin');
  if (!Buffer.isBuffer(bytes)) return NO_DETAILS;
  const details: Details = { ...NO_DETAILS };
  try {
    for (const detail of Status.decode(bytes).details) takeDetail(detail, details);
  } catch {
    return NO_DETAILS; // a proxy's, or a broken one: the status itself still says what failed
  }
  return details;
}

function takeDetail({ typeUrl, value }: Any, details: Details): void {
  switch (typeUrl.slice(typeUrl.lastIndexOf('/') + 1)) {
    case 'google.rpc.ErrorInfo': {
      const info = ErrorInfo.decode(value);
      details.reason = info.reason === '' ? undefined : info.reason;
      details.metadata = info.metadata;
      break;
    }
    case 'google.rpc.RetryInfo': {
      const delay = RetryInfo.decode(value).retryDelay;
      if (delay) details.retryAfterMs = delay.seconds * 1000 + Math.ceil(delay.nanos / 1e6);
      break;
    }
    case 'google.rpc.BadRequest':
      details.fieldViolations = BadRequest.decode(value).fieldViolations.map(
        ({ field, description }) => ({ field, description }),
      );
      break;
    case 'seatlock.v1.SeatConflicts':
      details.conflicts = SeatConflicts.decode(value).conflicts.map((conflict) => ({
        ...conflict,
        status: seatStatus(conflict.status),
      }));
      break;
  }
}

/** The error of a failed attempt, which is the call's if it was the last. */
export function errorOf(status: StatusObject, details: ErrorDetails, asked: Asked): SeatLockError {
  const name = grpcStatus[status.code] ?? `status ${status.code}`;
  // A message that says that nothing was done speaks of the last attempt alone.
  const doubt =
    asked.outcome === 'unknown' && details.metadata.outcome === 'none'
      ? '; an earlier attempt may have happened'
      : '';
  const whose = asked.ofSeveral ? ` (from ${asked.server})` : '';
  return new SeatLockError(`${details.reason ?? name}: ${status.details}${whose}${doubt}`, {
    ...details,
    ...asked,
    reason: details.reason ?? name,
    code: status.code,
    metadata: doubt ? { ...details.metadata, outcome: asked.outcome } : details.metadata,
  });
}
