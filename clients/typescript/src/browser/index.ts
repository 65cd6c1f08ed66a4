// `@seatlock/client`: live seats for browsers, without a framework and without a dependency.

export type * from './protocol.js';
export {
  type SeatConflict,
  type SeatLocks,
  SeatLocksError,
  type SeatLocksOptions,
  seatLocks,
} from './seat_locks.js';
export { showtime } from './showtime.js';
export type * from './types.js';
