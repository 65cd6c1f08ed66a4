// A followed showtime against the fake server: its seats, its own locks, its states.

import { afterEach, beforeEach, expect, test, vi } from 'vitest';
import { FakeSeatServer } from '../testing/index.js';
import { showtime } from './index.js';

let server: FakeSeatServer;
let undo: () => void;

beforeEach(() => {
  server = new FakeSeatServer({ sessionId: 'me' });
  undo = server.install();
});

afterEach(() => undo());

test('ShowsWhatIsTakenAndWhatIsOwn', async () => {
  server.lock('123', ['A01'], 'me');
  server.lock('123', ['A02'], 'other');
  server.book('123', ['A03']);
  const shown = showtime('123', { url: 'ws://fake.test/ws', sessionId: 'me' });
  const release = shown.follow();
  expect(shown.connection().status).toBe('connecting');
  await vi.waitFor(() => expect(shown.connection().status).toBe('live'));
  expect(shown.seat('A01')).toMatchObject({ status: 'locked', mine: true });
  expect(shown.seat('A02')).toEqual({ status: 'locked', mine: false });
  expect(shown.seat('A03')).toEqual({ status: 'booked', mine: false });
  expect(shown.ownSeats().map((seat) => seat.seatId)).toEqual(['A01']);
  server.unlock('123', ['A02'], 'other');
  await vi.waitFor(() => expect(shown.seat('A02').status).toBe('available'));
  release();
});
