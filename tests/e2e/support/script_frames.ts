// The frames of the conversations in scripts.ts and away_scripts.ts, and the steps that recur.
import type { Heard, Step } from './script.js';

export const SHOWTIME = { showtimeId: 'SHOWTIME' };
export const HELLO: Heard = { type: 'connection_established', sessionId: 'a string' };
export const PONG: Heard = { type: 'pong' };

export const at = (revision: number) => ({ epoch: revision ? 'EPOCH' : '', revision });
export const subscribed = (revision: number, more: object = {}): Heard => ({
  ...{ type: 'subscribed', ...SHOWTIME, ...at(revision), recovered: false, yourSeats: [] },
  ...more,
});
export const snapshot = (
  revision: number,
  lockedSeats: string[] = [],
  bookedSeats: string[] = [],
): Heard => ({
  ...{ type: 'current_seat_status', ...SHOWTIME, ...at(revision), lockedSeats, bookedSeats },
});
export const change = (
  revision: number,
  cause: string,
  seatId: string,
  status: string,
  more: object = {},
): Heard => ({
  ...{ type: 'seat_status_change', ...SHOWTIME, seatId, status, revision, cause },
  ...(revision === 1 && { epoch: 'EPOCH' }),
  ...more,
});
export const error = (code: string, more: object = {}): Heard => ({ type: 'error', code, ...more });
export const mine = (seatId: string) => ({ seatId, expiresAt: 'a number' });
/** What stands in a frame of one's own, of a lock. */
export const held = (sessionId: string) => ({ sessionId, expiresAt: 'a number' });
export const more = { more: true };

export const subscribe = (fields: object = {}) => ({ type: 'subscribe', ...SHOWTIME, ...fields });
export const unsubscribe = (fields: object = {}) => ({ type: 'unsubscribe', ...fields });

export const opens = (name: string): Step => ({ open: name, hear: { [name]: [HELLO] } });
/** Opens, and follows a showtime without a change, as a session or as a viewer. */
export const follows = (name: string, sessionId?: string): readonly Step[] => [
  opens(name),
  {
    by: name,
    say: subscribe(sessionId === undefined ? {} : { sessionId }),
    hear: { [name]: [subscribed(0), snapshot(0)] },
  },
];

export const resume = (revision: number, epoch = 'EPOCH') => ({ resume: { epoch, revision } });

export const live = (is: boolean, of: object = SHOWTIME): Heard => ({
  ...{ type: 'stream_status', live: is },
  ...of,
});
/** What `subscribed` says more where changes go on from a position while the service is away. */
export const recoveredAway = { recovered: true, live: false };
