// What a page makes of the frames that the edge sends while the seat service is away
// (docs/websocket.md), as the edge's own tests have them.

import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { followed, openPage, PAUSE_MS, type Page, settle } from './test/page.js';

let page: Page;
beforeEach(() => {
  page = openPage();
});
afterEach(() => page.leave());

const EXPIRES_AT = 1_800_000_600_000;
const send = (frame: object) => {
  page.server.send({ showtimeId: '123', timestamp: Date.now(), ...frame });
};
const live = (is: boolean) => send({ type: 'stream_status', live: is });
const locked = (seatId: string, revision: number, own = false) =>
  send({
    type: 'seat_status_change',
    seatId,
    status: 'locked',
    revision,
    cause: 'lock',
    ...(own && { sessionId: 'me', expiresAt: EXPIRES_AT }),
  });
const subscribes = () => page.server.received.filter((frame) => frame.type === 'subscribe');

/** A page that knows revision 1, where another holds A01. */
async function known() {
  page.server.lock('123', ['A01'], 'other');
  const { shown } = await followed();
  const position = shown.position();
  return { shown, epoch: position?.epoch };
}

test('APositionThatIsCoveredIsStaleAndShowsWhatWasMissed', async () => {
  const { shown, epoch } = await known();
  send({ type: 'subscribed', epoch, revision: 1, recovered: true, yourSeats: [] });
  live(false);
  locked('A02', 2);
  await settle();
  expect(shown.connection()).toMatchObject({ status: 'stale', stale: true, recovered: true });
  expect(shown.seat('A02').status).toBe('locked');
  locked('A03', 3);
  live(true);
  await settle();
  expect(shown.connection().status).toBe('live');
  expect(shown.position()?.revision).toBe(3);
  expect(subscribes()).toHaveLength(1);
});

test('ASnapshotThatIsGoneOnFromKnowsItsOwnSeatsWithoutAsking', async () => {
  const { shown, epoch } = await known();
  live(false);
  send({
    type: 'current_seat_status',
    bookedSeats: ['A09'],
    lockedSeats: ['A01', 'A02'],
    epoch,
    revision: 5,
  });
  await settle();
  expect(shown.connection().status).toBe('stale');
  expect(shown.seat('A09').status).toBe('booked');
  const yourSeats = ['A02', 'A03'].map((seatId) => ({ seatId, expiresAt: EXPIRES_AT }));
  send({ type: 'subscribed', epoch, revision: 5, recovered: true, yourSeats });
  locked('A03', 6, true);
  live(true);
  await settle();
  expect(shown.connection().status).toBe('live');
  expect(shown.ownSeats()).toEqual(yourSeats);
  expect(shown.seat('A01')).toEqual({ status: 'locked', mine: false });
  expect(subscribes()).toHaveLength(1);
});

test('AReconnectWhileAwayIsNotCalledLiveForAMoment', async () => {
  const { shown } = await known();
  page.server.goStale();
  page.server.closeAll(1006);
  await settle();
  const states: string[] = [];
  shown.onConnection(() => states.push(shown.connection().status));
  await settle(PAUSE_MS);
  expect(subscribes()).toHaveLength(2);
  expect(shown.connection()).toMatchObject({ status: 'stale', error: null, recovered: true });
  expect(states).not.toContain('live');
  page.server.goLive();
  await settle();
  expect(shown.connection().status).toBe('live');
});

describe('yourSeats whose snapshot did not come', () => {
  /** Subscribed anew, A01 is the session's own, and then the snapshot does not come. */
  async function interrupted() {
    page.server.goStale();
    const { shown } = await followed();
    const yourSeats = [{ seatId: 'A01', expiresAt: EXPIRES_AT }];
    send({ type: 'subscribed', epoch: 'e', revision: 5, recovered: false, yourSeats });
    await settle();
    return shown;
  }
  const snapshot = () => {
    const seats = { bookedSeats: [], lockedSeats: ['A01'] };
    send({ type: 'current_seat_status', ...seats, epoch: 'e', revision: 6 });
  };

  test('SayNothingOnANewSocket', async () => {
    const shown = await interrupted();
    page.server.closeAll(1006);
    await settle(PAUSE_MS);
    snapshot();
    await settle();
    expect(shown.seat('A01')).toEqual({ status: 'locked', mine: false });
  });

  test('SayNothingAfterARefusal', async () => {
    const shown = await interrupted();
    send({ type: 'error', code: 'SHOWTIME_UNAVAILABLE', message: 'm', retryAfterMs: 1_000 });
    snapshot();
    await settle();
    expect(shown.seat('A01')).toEqual({ status: 'locked', mine: false });
  });
});
