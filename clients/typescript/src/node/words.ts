// The words for the proto's enums.

import type { ChangeCause, OrderState, SeatStatus } from './types.js';

// By their numbers in the proto.
const SEAT_STATUSES = ['unspecified', 'available', 'locked', 'booked', 'blocked'] as const;
const ORDER_STATES = ['unspecified', 'unknown', 'open', 'cancelled'] as const;
const CAUSES = [
  'unspecified',
  'lock',
  'unlock',
  'swap',
  'extend',
  'expired',
  'book',
  'cancel',
  'block',
  'unblock',
  'release',
  'close',
  'reopen',
] as const;

export const seatStatus = (wire: number): SeatStatus => SEAT_STATUSES[wire] ?? 'unspecified';
export const orderState = (wire: number): OrderState => ORDER_STATES[wire] ?? 'unspecified';
export const changeCause = (wire: number): ChangeCause => CAUSES[wire] ?? 'unspecified';
