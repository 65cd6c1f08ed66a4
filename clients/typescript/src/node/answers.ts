// From the wire's messages to the client's types.

import type {
  BookSeatsResponse as WireBookSeatsResponse,
  ExtendLocksResponse as WireExtendLocksResponse,
  GetOrderResponse as WireGetOrderResponse,
  GetShowtimeResponse as WireGetShowtimeResponse,
  ListSessionLocksResponse as WireListSessionLocksResponse,
  ListShowtimesResponse as WireListShowtimesResponse,
  LockSeatResponse as WireLockSeatResponse,
  LockSeatsResponse as WireLockSeatsResponse,
} from './gen/seatlock/v1/seatlock_service.js';
import type {
  Change as WireChange,
  Lock as WireLock,
  Seat as WireSeat,
  ShowtimeSnapshot as WireSnapshot,
  ShowtimeSummary as WireSummary,
} from './gen/seatlock/v1/seats.js';
import type * as Types from './types.js';
import { changeCause, orderState, seatStatus } from './words.js';

/** The service sets all that is asked for here: an answer without it is not to be used. */
function present<T>(value: T | undefined, field: string): T {
  if (value === undefined) throw new Error(`no ${field}`);
  return value;
}

export function lock(wire: WireLock): Types.Lock {
  return {
    showtimeId: wire.showtimeId,
    seatId: wire.seatId,
    sessionId: wire.sessionId,
    expireTime: present(wire.expireTime, 'expire_time'),
    fence: wire.fence,
  };
}

export function seat(wire: WireSeat): Types.Seat {
  return {
    seatId: wire.seatId,
    status: seatStatus(wire.status),
    ...(wire.sessionId !== '' && { sessionId: wire.sessionId }),
    ...(wire.expireTime && { expireTime: wire.expireTime }),
    ...(wire.orderId !== '' && { orderId: wire.orderId }),
  };
}

export function snapshot(wire: WireSnapshot): Types.ShowtimeSnapshot {
  return {
    showtimeId: wire.showtimeId,
    epoch: wire.epoch,
    revision: wire.revision,
    seats: wire.seats.map(seat),
  };
}

export function change(wire: WireChange): Types.Change {
  return {
    showtimeId: wire.showtimeId,
    epoch: wire.epoch,
    revision: wire.revision,
    commitTime: present(wire.commitTime, 'commit_time'),
    cause: changeCause(wire.cause),
    seats: wire.seats.map(seat),
  };
}

export function answer(wire: { revision: number; serverTime?: Date | undefined }): Types.Answer {
  return { revision: wire.revision, serverTime: present(wire.serverTime, 'server_time') };
}

export function oneLock(wire: WireLockSeatResponse): Types.LockSeatResponse {
  return { lock: lock(present(wire.lock, 'lock')), ...answer(wire) };
}

export function locks(
  wire: WireLockSeatsResponse | WireExtendLocksResponse | WireListSessionLocksResponse,
): Types.LockSeatsResponse {
  return { locks: wire.locks.map(lock), ...answer(wire) };
}

export function booked(wire: WireBookSeatsResponse): Types.BookSeatsResponse {
  return { bookedSeatIds: wire.bookedSeatIds, ...answer(wire) };
}

export function order(wire: WireGetOrderResponse): Types.GetOrderResponse {
  return { state: orderState(wire.state), seatIds: wire.seatIds, revision: wire.revision };
}

export function showtime(wire: WireGetShowtimeResponse): Types.GetShowtimeResponse {
  return {
    snapshot: snapshot(present(wire.snapshot, 'snapshot')),
    serverTime: present(wire.serverTime, 'server_time'),
  };
}

function summary(wire: WireSummary): Types.ShowtimeSummary {
  const { showtimeId, epoch, revision, locked, booked, blocked, closed, lastChangeTime } = wire;
  return {
    showtimeId,
    epoch,
    revision,
    ...(locked !== undefined && { locked }),
    ...(booked !== undefined && { booked }),
    ...(blocked !== undefined && { blocked }),
    ...(closed !== undefined && { closed }),
    ...(lastChangeTime && { lastChangeTime }),
  };
}

export function showtimes(wire: WireListShowtimesResponse): Types.ListShowtimesResponse {
  return { showtimes: wire.showtimes.map(summary), nextPageToken: wire.nextPageToken };
}
