// The client's types beside the proto: a field or a value that one has and the other lacks shows
// here, the fields when the types are checked.

import { expect, test } from 'vitest';
import type * as Service from './gen/seatlock/v1/seatlock_service.js';
import type * as Seats from './gen/seatlock/v1/seats.js';
import { ChangeCause, OrderState, SeatStatus } from './gen/seatlock/v1/seats.js';
import type * as Types from './types.js';
import { changeCause, orderState, seatStatus } from './words.js';

type Same<A, B> = [A] extends [B] ? ([B] extends [A] ? true : false) : false;
type SameKeys<A, B> = Same<keyof A, keyof B>;

// Requests are held by requests.ts, which must set every field of the wire's.
const FIELDS: [
  SameKeys<Seats.Lock, Types.Lock>,
  SameKeys<Seats.Seat, Types.Seat>,
  SameKeys<Seats.Position, Types.Position>,
  SameKeys<Seats.Progress, Types.Position>,
  SameKeys<Seats.Change, Types.Change>,
  SameKeys<Omit<Seats.ShowtimeSnapshot, 'more' | 'replaces'>, Types.ShowtimeSnapshot>,
  SameKeys<Service.LockSeatResponse, Types.LockSeatResponse>,
  SameKeys<Service.LockSeatsResponse, Types.LockSeatsResponse>,
  SameKeys<Service.UnlockSeatResponse, Types.Answer>,
  SameKeys<Service.UnlockSeatsResponse, Types.Answer>,
  SameKeys<Service.ExtendLocksResponse, Types.ExtendLocksResponse>,
  SameKeys<Service.BookSeatsResponse, Types.BookSeatsResponse>,
  SameKeys<Service.CancelBookingResponse, Types.Answer>,
  SameKeys<Service.GetOrderResponse, Types.GetOrderResponse>,
  SameKeys<Service.GetShowtimeResponse, Types.GetShowtimeResponse>,
  SameKeys<Service.ListSessionLocksResponse, Types.ListSessionLocksResponse>,
] = [
  true,
  true,
  true,
  true,
  true,
  true,
  true,
  true,
  true,
  true,
  true,
  true,
  true,
  true,
  true,
  true,
];

test('the types have the fields of the proto', () => {
  expect(FIELDS).not.toContain(false);
});

test.each([
  ['SeatStatus', SeatStatus, seatStatus],
  ['ChangeCause', ChangeCause, changeCause],
  ['OrderState', OrderState, orderState],
])('every value of %s has its word', (_, values, word) => {
  const numbers = Object.values(values).filter((value) => typeof value === 'number');
  expect(numbers.map(word)).toEqual(numbers.map((value) => values[value]?.toLowerCase()));
  expect(word(numbers.length)).toBe('unspecified');
});
