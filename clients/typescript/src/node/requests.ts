// From the client's requests to the wire's messages. Checks what the wire cannot carry: a value of
// a wrong type, such as out of a request's body, is refused here as INVALID_FIELD. Bounds are the
// service's to check.

import { invalidField } from './errors.js';
import type { Duration } from './gen/google/protobuf/duration.js';
import type * as Wire from './gen/seatlock/v1/seatlock_service.js';
import type * as Types from './types.js';

const LONE_SURROGATE = /\p{Surrogate}/u;

function text(value: unknown, field: string): string {
  if (typeof value !== 'string') throw invalidField(field, 'must be a string');
  // A lone surrogate would be sent as another character, and so name another seat.
  if (LONE_SURROGATE.test(value)) throw invalidField(field, 'must be well-formed Unicode');
  return value;
}

function texts(value: unknown, field: string): string[] {
  if (value === undefined) return [];
  if (!Array.isArray(value)) throw invalidField(field, 'must be an array of strings');
  return value.map((item, index) => text(item, `${field}[${index}]`));
}

function flag(value: unknown, field: string): boolean {
  if (value === undefined) return false;
  if (typeof value !== 'boolean') throw invalidField(field, 'must be true or false');
  return value;
}

function whole(value: unknown, field: string, max = Number.MAX_SAFE_INTEGER): number {
  if (!Number.isInteger(value) || Number(value) < 0 || Number(value) > max) {
    throw invalidField(field, `must be a whole number from 0 to ${max}`);
  }
  return Number(value);
}

const TTL_MS_MAX = 1e12; // what a Duration holds; the service's own bounds are far within

function ttl(ms: unknown): Duration | undefined {
  if (ms === undefined) return undefined;
  const total = whole(ms, 'ttl', TTL_MS_MAX);
  return { seconds: Math.floor(total / 1000), nanos: (total % 1000) * 1e6 };
}

/** Which seats: the list, or `all`. The service refuses both and neither. */
function some(request: Types.SomeSeats): { seatIds: string[]; all: boolean } {
  return { seatIds: texts(request.seatIds, 'seat_ids'), all: flag(request.all, 'all') };
}

const UINT32_MAX = 0xffff_ffff;

function whose(request: { showtimeId: string; sessionId: string }) {
  return {
    showtimeId: text(request.showtimeId, 'showtime_id'),
    sessionId: text(request.sessionId, 'session_id'),
  };
}

function orderOf(request: { showtimeId: string; orderId: string }) {
  return {
    showtimeId: text(request.showtimeId, 'showtime_id'),
    orderId: text(request.orderId, 'order_id'),
  };
}

function terms(request: Types.LockSeatRequest | Types.LockSeatsRequest) {
  return {
    ttl: ttl(request.ttlMs),
    maxSessionSeats: whole(request.maxSessionSeats ?? 0, 'max_session_seats', UINT32_MAX),
  };
}

/** The caller's id, or a new one: what makes every attempt the same request. */
export function requestIdOf(request: Types.Mutation): string {
  const given = request.requestId;
  return given === undefined || given === '' ? crypto.randomUUID() : text(given, 'request_id');
}

export function lockSeat(request: Types.LockSeatRequest): Wire.LockSeatRequest {
  return { ...whose(request), seatId: text(request.seatId, 'seat_id'), ...terms(request) };
}

export function lockSeats(request: Types.LockSeatsRequest): Wire.LockSeatsRequest {
  return {
    ...whose(request),
    seatIds: texts(request.seatIds, 'seat_ids'),
    releaseSeatIds: texts(request.releaseSeatIds, 'release_seat_ids'),
    ...terms(request),
  };
}

export function unlockSeat(request: Types.UnlockSeatRequest): Wire.UnlockSeatRequest {
  return { ...whose(request), seatId: text(request.seatId, 'seat_id') };
}

export function unlockSeats(request: Types.UnlockSeatsRequest): Wire.UnlockSeatsRequest {
  return { ...whose(request), ...some(request) };
}

export function extendLocks(request: Types.ExtendLocksRequest): Wire.ExtendLocksRequest {
  return { ...whose(request), ...some(request), ttl: ttl(request.ttlMs) };
}

export function bookSeats(request: Types.BookSeatsRequest): Wire.BookSeatsRequest {
  return {
    ...whose(request),
    ...orderOf(request),
    seatIds: texts(request.seatIds, 'seat_ids'),
    fences: fences(request.fences),
    onlyHeld: flag(request.onlyHeld, 'only_held'),
    addToOrder: flag(request.addToOrder, 'add_to_order'),
  };
}

function fences(value: unknown): Record<string, number> {
  if (value === undefined) return {};
  if (typeof value !== 'object' || value === null)
    throw invalidField('fences', 'must be an object');
  return Object.fromEntries(
    Object.entries(value).map(([seatId, fence]) => [
      text(seatId, 'fences'),
      whole(fence, `fences[${seatId}]`),
    ]),
  );
}

export function cancelBooking(request: Types.CancelBookingRequest): Wire.CancelBookingRequest {
  return {
    ...orderOf(request),
    ...some(request),
    tombstone: flag(request.tombstone, 'tombstone'),
  };
}

export function getOrder(request: Types.GetOrderRequest): Wire.GetOrderRequest {
  return orderOf(request);
}

export function getShowtime(request: Types.GetShowtimeRequest): Wire.GetShowtimeRequest {
  return { showtimeId: text(request.showtimeId, 'showtime_id') };
}

export function listSessionLocks(
  request: Types.ListSessionLocksRequest,
): Wire.ListSessionLocksRequest {
  return whose(request);
}

const PAGE_SIZE_MAX = 0x7fff_ffff; // what an int32 holds; above 1,000 the service gives 1,000

export function listShowtimes(request: Types.ListShowtimesRequest): Wire.ListShowtimesRequest {
  return {
    pageSize: whole(request.pageSize ?? 0, 'page_size', PAGE_SIZE_MAX),
    pageToken: text(request.pageToken ?? '', 'page_token'),
  };
}

export function watchShowtime(request: Types.WatchShowtimeRequest): Wire.WatchShowtimeRequest {
  const { resume } = request;
  return {
    showtimeId: text(request.showtimeId, 'showtime_id'),
    resume: resume && {
      epoch: text(resume.epoch, 'resume.epoch'),
      revision: whole(resume.revision, 'resume.revision'),
    },
  };
}
