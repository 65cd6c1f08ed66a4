// Reads what the edge sends. What is not JSON, has another shape or an unknown type is nothing.

import type { OwnSeat, ServerFrame } from './protocol.js';
import type { SeatLocksAnswer } from './types.js';

type Fields = Readonly<Record<string, unknown>>;

const isText = (value: unknown): value is string => typeof value === 'string';
const isNumber = (value: unknown): value is number => Number.isFinite(value);
const isTexts = (value: unknown): boolean => Array.isArray(value) && value.every(isText);
const isPosition = ({ showtimeId, epoch, revision }: Fields): boolean =>
  isText(showtimeId) && isText(epoch) && isNumber(revision);

export function isFields(value: unknown): value is Fields {
  return typeof value === 'object' && value !== null;
}

export function isOwnSeats(value: unknown): value is readonly OwnSeat[] {
  return (
    Array.isArray(value) &&
    value.every((seat) => isFields(seat) && isText(seat.seatId) && isNumber(seat.expiresAt))
  );
}

export function isSeatLocksAnswer(value: unknown): value is SeatLocksAnswer {
  if (!isFields(value) || !isText(value.sessionId) || !isOwnSeats(value.seats)) return false;
  return isNumber(value.revision) && isNumber(value.serverTime);
}

const shapes: Readonly<Record<string, (frame: Fields) => boolean>> = {
  seat_status_change: (frame) =>
    [frame.showtimeId, frame.seatId, frame.status].every(isText) && isNumber(frame.revision),
  subscribed: (frame) => isPosition(frame) && isOwnSeats(frame.yourSeats),
  current_seat_status: (frame) =>
    isPosition(frame) && isTexts(frame.bookedSeats) && isTexts(frame.lockedSeats),
  stream_status: (frame) => isText(frame.showtimeId) && typeof frame.live === 'boolean',
  error: (frame) => isText(frame.code),
  connection_established: () => true,
  pong: () => true,
  heartbeat: () => true,
};

export function readFrame(data: unknown): ServerFrame | null {
  let frame: unknown;
  try {
    frame = JSON.parse(data as string);
  } catch {
    return null;
  }
  if (!isFields(frame) || !isText(frame.type) || !Object.hasOwn(shapes, frame.type)) return null;
  if (frame.type !== 'error' && !isNumber(frame.timestamp)) return null;
  return shapes[frame.type]?.(frame) ? (frame as unknown as ServerFrame) : null;
}
