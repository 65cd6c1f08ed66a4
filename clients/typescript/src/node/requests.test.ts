// What cannot be sent is refused before it is, with the field's name; options too.

import { afterAll, expect, test } from 'vitest';
import { createSeatLockClient } from './client.js';
import { isSeatLockError, SeatLockError } from './errors.js';
import type { SeatLockClientOptions } from './options.js';

// Nobody listens there: what is sent would be UNAVAILABLE.
const client = createSeatLockClient({ address: '127.0.0.1:1', retries: 0 });
afterAll(() => client.close());

const SEATS = { showtimeId: '123', sessionId: 'alice' };

/** As a caller without types would pass it. */
const raw = (value: unknown) => value as never;

test.each([
  ['seat_id', () => client.lockSeat(raw({ ...SEATS, seatId: 6 }))],
  ['seat_id', () => client.lockSeat({ ...SEATS, seatId: '\ud800' })],
  ['showtime_id', () => client.getShowtime(raw({}))],
  ['session_id', () => client.unlockSeat(raw({ showtimeId: '123', seatId: 'A06' }))],
  ['seat_ids', () => client.lockSeats({ ...SEATS, seatIds: raw('A06') })],
  ['seat_ids[1]', () => client.lockSeats({ ...SEATS, seatIds: raw(['A06', null]) })],
  ['all', () => client.unlockSeats(raw({ ...SEATS, all: 'yes' }))],
  ['ttl', () => client.extendLocks({ ...SEATS, all: true, ttlMs: Number.NaN })],
  ['ttl', () => client.extendLocks({ ...SEATS, all: true, ttlMs: 1.5 })],
  ['max_session_seats', () => client.lockSeat({ ...SEATS, seatId: 'A', maxSessionSeats: -1 })],
  ['request_id', () => client.lockSeat({ ...SEATS, seatId: 'A', requestId: raw(1) })],
  ['fences[A]', () => client.bookSeats({ ...SEATS, orderId: 'o', fences: { A: 2 ** 53 } })],
  ['fences', () => client.bookSeats({ ...SEATS, orderId: 'o', fences: raw(1) })],
  ['order_id', () => client.getOrder(raw({ showtimeId: '123' }))],
  ['page_size', () => client.listShowtimes({ pageSize: -1 })],
  ['page_size', () => client.allShowtimes({ pageSize: 2.5 }).next()],
  ['page_token', () => client.listShowtimes({ pageToken: raw(7) })],
])('%s that cannot be sent is INVALID_FIELD (%#)', async (field, call) => {
  await expect(call()).rejects.toMatchObject({
    name: 'SeatLockError',
    reason: 'INVALID_FIELD',
    code: 3,
    outcome: 'none',
    fieldViolations: [{ field, description: expect.stringMatching(/^must /) }],
  });
});

test('a position that cannot be sent is INVALID_FIELD at once', () => {
  const resume = { epoch: 'e', revision: -1 };
  expect(() => client.watchShowtime({ showtimeId: '123', resume })).toThrow('resume.revision');
});

test.each<[string, Partial<SeatLockClientOptions>]>([
  ['address', { address: '' }],
  ['deadlineMs', { deadlineMs: 0 }],
  ['attemptMs', { attemptMs: 2 ** 31 }],
  ['retries', { retries: 1.5 }],
  ['retries', { retries: 101 }],
  ['backoffMs.max', { backoffMs: { first: 1, max: Number.NaN } }],
  ['silenceMs', { silenceMs: -1 }],
])('the option %s is checked (%#)', (option, options) => {
  expect(() => createSeatLockClient({ address: 'localhost:1', ...options })).toThrow(option);
});

test('a call with a deadline that is none is an error of the caller', async () => {
  const call = client.getShowtime({ showtimeId: '123' }, { deadlineMs: Number.NaN });
  await expect(call).rejects.toThrow(RangeError);
});

test('errors are told by their shape, whichever copy made them', () => {
  const fields = { reason: 'SEAT_TAKEN', code: 9 };
  const ours = new SeatLockError('taken', fields);
  const theirs = Object.assign(new Error('taken'), { ...ours, name: 'SeatLockError' });
  expect(theirs).not.toBeInstanceOf(SeatLockError);
  expect([ours, theirs].map(isSeatLockError)).toEqual([true, true]);
  const others = [new Error('no'), null, undefined, 'SEAT_TAKEN', fields];
  expect(others.map(isSeatLockError)).toEqual(others.map(() => false));
});
