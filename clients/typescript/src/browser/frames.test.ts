// What is read as a frame, and what is nothing.

import { expect, test } from 'vitest';
import { isSeatLocksAnswer, readFrame } from './frames.js';

const change = {
  type: 'seat_status_change',
  showtimeId: '123',
  seatId: 'A06',
  status: 'locked',
  timestamp: 1,
  revision: 2,
};
const subscribed = {
  type: 'subscribed',
  showtimeId: '123',
  timestamp: 1,
  epoch: 'e',
  revision: 0,
  recovered: false,
  yourSeats: [{ seatId: 'A06', expiresAt: 5 }],
};
const snapshot = {
  type: 'current_seat_status',
  showtimeId: '123',
  bookedSeats: ['A01'],
  lockedSeats: [],
  timestamp: 1,
  epoch: 'e',
  revision: 4,
};

test.each([
  change,
  { ...change, status: 'blocked', cause: 'close', news: { of: 'later' } },
  subscribed,
  snapshot,
  { type: 'stream_status', showtimeId: '123', live: false, timestamp: 1 },
  { type: 'error', code: 'BAD_JSON', message: 'no' },
  { type: 'heartbeat', timestamp: 1 },
])('Reads %j', (frame) => {
  expect(readFrame(JSON.stringify(frame))).toEqual(frame);
});

test.each([
  { ...change, seatId: 6 },
  { ...change, showtimeId: undefined },
  { ...subscribed, showtimeId: 7 },
  { ...snapshot, showtimeId: undefined },
  { type: 'stream_status', live: true, timestamp: 1 },
  { ...change, revision: '2' },
  { ...change, status: null },
  { ...change, timestamp: undefined },
  { ...subscribed, yourSeats: {} },
  { ...subscribed, yourSeats: [{ seatId: 'A06' }] },
  { ...subscribed, epoch: 7 },
  { ...snapshot, bookedSeats: [1] },
  { ...snapshot, lockedSeats: null },
  { ...snapshot, revision: null },
  { type: 'stream_status', showtimeId: '123', timestamp: 1 },
  { type: 'error', message: 'no code' },
  { type: 'heartbeat' },
  { type: 'news', timestamp: 1 },
  { type: 'toString', timestamp: 1 },
  { type: ['pong'], timestamp: 1 },
  { timestamp: 1 },
  null,
  'pong',
  7,
  [],
])('Ignores %j', (frame) => {
  expect(readFrame(JSON.stringify(frame))).toBeNull();
});

test.each(['', '{', 'undefined', new Uint8Array([1]), undefined])(
  'IgnoresWhatIsNoJson %s',
  (data) => {
    expect(readFrame(data)).toBeNull();
  },
);

test('KnowsAnAnswerByItsShape', () => {
  const answer = { sessionId: 's', seats: [], revision: 0, serverTime: 1 };
  expect(isSeatLocksAnswer(answer)).toBe(true);
  for (const bad of [null, {}, { ...answer, seats: [{}] }, { ...answer, revision: '1' }]) {
    expect(isSeatLocksAnswer(bad)).toBe(false);
  }
});
