// Which seats a call names, and that the hall has them.

import { refuse } from './answers';
import { findSeats, type ShopSeat } from './catalogue';
import { db } from './db';
import type { Body } from './guard';

/** As many as SeatLock takes in one call. */
const SEATS_MAX = 100;

/** The seats of `seatId` or `seatIds`, in the body or the query. null: the call names none. */
export function namedSeats(body: Body, query: URLSearchParams): string[] | Response | null {
  const given = [body.seatId, body.seatIds].filter((value) => value !== undefined);
  const asked = [...query.getAll('seatId'), ...query.getAll('seatIds').flatMap(commas)];
  if (given.length === 0) {
    return asked.length === 0 ? null : texts(asked, 'seatIds');
  }
  if (given.length > 1 || asked.length > 0) {
    return refuse('INVALID_FIELD', 'Name seats once: seatId or seatIds.');
  }
  return body.seatId === undefined
    ? texts(body.seatIds, 'seatIds')
    : texts([body.seatId], 'seatId');
}

/** Seats to free in the same step; absent is none. */
export function releasedSeats(body: Body): string[] | Response {
  const { releaseSeatIds } = body;
  const none = releaseSeatIds === undefined || isEmpty(releaseSeatIds);
  return none ? [] : texts(releaseSeatIds, 'releaseSeatIds');
}

/** The hall's seats of these names, or the answer that names those it does not have. */
export function knownSeats(showtimeId: string, seatIds: readonly string[]): ShopSeat[] | Response {
  const { seats, unknown } = findSeats(db(), showtimeId, seatIds);
  if (unknown.length === 0) {
    return seats;
  }
  return refuse(
    'UNKNOWN_SEAT',
    `The hall has no seat ${unknown.join(', ')}.`,
    unknown.map((seatId) => ({ seatId, status: 'unknown' })),
  );
}

function texts(value: unknown, field: string): string[] | Response {
  const items: unknown[] = Array.isArray(value) ? value : [];
  const good = items.filter((item) => typeof item === 'string' && item !== '' && item.length <= 40);
  if (items.length === 0 || items.length > SEATS_MAX || good.length < items.length) {
    return refuse('INVALID_FIELD', `${field}: 1 to ${SEATS_MAX} seat ids are wanted.`);
  }
  return good.map(String);
}

function isEmpty(value: unknown): boolean {
  return Array.isArray(value) && value.length === 0;
}

function commas(value: string): string[] {
  return value.split(',');
}
