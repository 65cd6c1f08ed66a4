// All texts, in English; `SeatSelection`'s `messages` replaces any of them.

import type { ConnectionState, Status } from '@seatlock/client';
import type { SeatNamer } from './layout.js';

/**
 * What a seat is to the shopper.
 * - `available`: free
 * - `selecting`: wanted; the server has not confirmed it yet
 * - `selected`: held by the shopper, confirmed
 * - `releasing`: given up; the server has not confirmed it yet
 * - `locked`: held by somebody else
 * - `booked`: sold to somebody else, or not for sale
 * - `bought`: sold to the shopper
 */
export type SeatPhase =
  | 'available'
  | 'selecting'
  | 'selected'
  | 'releasing'
  | 'locked'
  | 'booked'
  | 'bought';

/** Every text that is shown or announced. `seat` is a seat's name, as `seatName` makes it. */
export interface Messages {
  readonly seatName: SeatNamer;
  readonly states: Readonly<Record<SeatPhase, string>>;
  readonly connection: Readonly<Record<Status, string>>;
  /** In place of `connection.stale` if the edge refused the showtime (`error` says why). */
  readonly refused: string;
  /** A seat that somebody else holds (`sold`: has bought). */
  readonly taken: (seat: string, sold: boolean) => string;
  readonly limit: (seat: string, max: number | undefined) => string;
  /** A call failed; `code` is the contract's reason, or `NETWORK`, `TIMEOUT`, `BAD_ANSWER`. */
  readonly failed: (seat: string, code: string) => string;
  readonly extendFailed: (code: string) => string;
  readonly selected: (seat: string, price: string) => string;
  readonly released: (seat: string) => string;
  readonly expiring: (seconds: number) => string;
  readonly expired: (seats: readonly string[]) => string;
  readonly extended: string;
  readonly countdown: string;
  readonly extend: string;
  readonly dismiss: string;
  /** Offered where the edge said not to come back. */
  readonly reconnect: string;
  readonly map: string;
  readonly list: string;
  readonly zoomIn: string;
  readonly zoomOut: string;
  readonly front: string;
  readonly legend: string;
  readonly row: (label: string) => string;
  readonly summary: string;
  readonly nothing: string;
  readonly total: string;
}

/** The texts that the hook's `connectionStatus` gives, too, with `refusedText`. */
export const connectionTexts: Messages['connection'] = {
  idle: 'Idle',
  connecting: 'Connecting',
  live: 'Connected',
  stale: 'Seat service away',
  reconnecting: 'Connection error',
  closed: 'Disconnected',
};

export const refusedText: Messages['refused'] = 'Seats may be out of date';

/** What a connection's state is in words. */
export function connectionText(
  { status, error }: Pick<ConnectionState, 'status' | 'error'>,
  { connection, refused }: Pick<Messages, 'connection' | 'refused'>,
): string {
  return status === 'stale' && error ? refused : connection[status];
}

const BUSY = new Set([
  'RATE_LIMITED',
  'OVERLOADED',
  'DRAINING',
  'STORE_UNAVAILABLE',
  'LOCK_EXPIRED',
]);

function reason(code: string): string {
  if (BUSY.has(code)) return 'too busy right now. Please try again in a moment.';
  return `no confirmation (${code}). Please try again.`;
}

/** The texts in English. */
export const defaultMessages: Messages = {
  seatName: (row, number, section) =>
    section === undefined ? `Row ${row}, seat ${number}` : `${section}, row ${row}, seat ${number}`,
  states: {
    available: 'available',
    selecting: 'selecting',
    selected: 'selected',
    releasing: 'releasing',
    locked: 'taken',
    booked: 'sold',
    bought: 'bought by you',
  },
  connection: connectionTexts,
  refused: refusedText,
  taken: (seat, sold) => `${seat} is ${sold ? 'sold' : 'taken'}. Please choose another seat.`,
  limit: (seat, max) =>
    `${seat} was not selected: ${max ? `at most ${max}` : 'no more'} seats at a time.`,
  failed: (seat, code) => `${seat}: ${reason(code)}`,
  extendFailed: (code) =>
    code === 'EXTEND_LIMIT'
      ? 'Your seats cannot be kept any longer. Please finish your purchase.'
      : `Your seats could not be kept longer: ${reason(code)}`,
  selected: (seat, price) => `${seat} selected, ${price}`,
  released: (seat) => `${seat} released`,
  expiring: (seconds) => `${seconds} seconds left. Press E to keep your seats longer.`,
  expired: (seats) => `Time is up. No longer yours: ${seats.join('; ')}.`,
  extended: 'Your seats are kept longer.',
  countdown: 'Seats kept for',
  extend: 'Keep for longer',
  dismiss: 'Dismiss',
  reconnect: 'Reconnect',
  map: 'Map',
  list: 'List',
  zoomIn: 'Zoom in',
  zoomOut: 'Zoom out',
  front: 'Screen',
  legend: 'Legend',
  row: (label) => `Row ${label}`,
  summary: 'Your seats',
  nothing: 'No seats chosen yet.',
  total: 'Total',
};
