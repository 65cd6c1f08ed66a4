// Showtimes of a page: who shares what, own seats through every kind of snapshot, answers, time.

import { setFlagsFromString } from 'node:v8';
import { runInNewContext } from 'node:vm';
import { afterEach, beforeEach, describe, expect, test, vi } from 'vitest';
import { type SeatUpdate, seatLocks, showtime } from './index.js';
import { followed, openPage, PAUSE_MS, type Page, rightClock, settle } from './test/page.js';

let page: Page;
beforeEach(() => {
  page = openPage();
});
afterEach(() => page.leave());

const sent = (type: string) => page.server.received.filter((frame) => frame.type === type);
const change = (seatId: string, revision: number, more: object = {}) => ({
  type: 'seat_status_change',
  showtimeId: '123',
  seatId,
  status: 'locked',
  timestamp: Date.now(),
  revision,
  ...more,
});

describe('sharing', () => {
  test('AllWhoAskForTheSameShareOne', () => {
    const one = showtime('123', { sessionId: 'me', url: '/ws/seat-updates' });
    const url = 'https://cinema.test/ws/seat-updates';
    expect(showtime('123', { sessionId: 'me', url })).toBe(one);
    expect(one.url).toBe('wss://cinema.test/ws/seat-updates');
    expect(showtime('123', { url })).not.toBe(one);
    expect(showtime('124', { sessionId: 'me' })).not.toBe(one);
    expect(showtime('123', { sessionId: 'me', url: '/other' })).not.toBe(one);
  });

  test('ShowtimesOfOneUrlAndSessionShareASocket', async () => {
    await followed('123');
    await followed('124');
    await followed('125', { sessionId: 'other' });
    expect(page.attempts()).toBe(2);
    expect(page.server.connections).toBe(2);
  });

  test('WithoutAWindowNothingIsShared', () => {
    vi.stubGlobal('window', undefined);
    vi.stubGlobal('location', undefined);
    const one = showtime('123', { sessionId: 'me' });
    expect(showtime('123', { sessionId: 'me' })).not.toBe(one);
    expect(one.url).toBe('/ws/seat-updates');
  });

  test('AUrlThatIsNoneIsRefused', () => {
    expect(() => showtime('123', { url: 'ws://[' })).toThrow(TypeError);
  });

  test('TheLastOneToLeaveEndsIt', async () => {
    const { shown, release } = await followed();
    const second = shown.follow();
    release();
    release(); // a second time is nothing
    await settle(10_000);
    expect(page.server.connections).toBe(1);
    second();
    await settle(999);
    expect(page.server.connections).toBe(1);
    await settle(1);
    expect(page.server.connections).toBe(0);
    expect(shown.connection().status).toBe('idle');
  });

  test('WhoComesBackWithinASecondFindsItLive', async () => {
    const { shown, release } = await followed();
    release();
    await settle(999);
    shown.follow();
    await settle(10_000);
    expect(shown.connection().status).toBe('live');
    expect(page.attempts()).toBe(1);
    expect(sent('subscribe')).toHaveLength(1);
  });

  test('LeavingOneOfSeveralUnsubscribesIt', async () => {
    const { release } = await followed('123');
    await followed('124');
    release();
    await settle(1_000);
    expect(sent('unsubscribe')).toEqual([{ type: 'unsubscribe', showtimeId: '123' }]);
    expect(page.server.connections).toBe(1);
  });

  test('WhatIsFollowedAgainResumes', async () => {
    page.server.lock('123', ['A01'], 'other');
    const { shown, release } = await followed();
    release();
    await settle(1_000);
    page.server.lock('123', ['A02'], 'other');
    shown.follow();
    expect(shown.connection().status).toBe('connecting');
    expect(shown.seat('A01').status).toBe('locked');
    await settle();
    expect(shown.connection().recovered).toBe(true);
    expect(shown.seat('A02').status).toBe('locked');
  });

  test('WhatNobodyFollowsOrHoldsIsCollected', async () => {
    await expectCollected(weakly(() => showtime('thrown away')));
  });

  test('WhatIsFollowedIsKeptThoughNobodyHoldsIt', async () => {
    const ref = weakly(() => {
      const shown = showtime('123', { sessionId: 'me' });
      shown.follow();
      return shown;
    });
    await settle();
    await expectCollected(weakly(() => ({})));
    expect(ref.deref()).toBeDefined();
    expect(showtime('123', { sessionId: 'me' })).toBe(ref.deref());
  });
});

/** Nothing in the caller's frame holds what was made. */
function weakly<T extends object>(make: () => T): WeakRef<T> {
  return new WeakRef(make());
}

async function expectCollected(ref: WeakRef<object>): Promise<void> {
  setFlagsFromString('--expose-gc');
  const collect: () => void = runInNewContext('gc');
  vi.useRealTimers();
  // The answer alone: what is looked at itself would be held.
  const isGone = () => {
    collect();
    return ref.deref() === undefined;
  };
  await expect.poll(isGone, { timeout: 4_000 }).toBe(true);
}

describe('own seats', () => {
  test('AreRestoredByYourSeats', async () => {
    page.server.lock('123', ['A01', 'A02'], 'me', { ttlMs: 60_000 });
    page.server.lock('123', ['A03'], 'other');
    const { shown } = await followed();
    const expiresAt = Date.now() + 60_000;
    expect(shown.ownSeats()).toEqual([
      { seatId: 'A01', expiresAt },
      { seatId: 'A02', expiresAt },
    ]);
    expect(shown.seat('A03').mine).toBe(false);
  });

  test('OfAnotherTabComeWithResumes', async () => {
    page.server.lock('123', ['A01'], 'other');
    const { shown } = await followed();
    page.server.closeAll(1006);
    page.server.unlock('123', ['A01'], 'other');
    page.server.lock('123', ['A01', 'A02'], 'me');
    await settle(PAUSE_MS);
    expect(shown.connection().recovered).toBe(true);
    expect(shown.ownSeats().map((seat) => seat.seatId)).toEqual(['A01', 'A02']);
  });

  test('OneThatWasGivenUpMeanwhileIsNeverShownAsTaken', async () => {
    page.server.lock('123', ['A01'], 'me');
    const { shown } = await followed();
    const seen: unknown[] = [];
    shown.onSeat('A01', () => seen.push(shown.seat('A01')));
    page.server.closeAll(1006);
    page.server.unlock('123', ['A01'], 'me');
    await settle(PAUSE_MS);
    expect(seen).toEqual([{ status: 'available', mine: false }]);
  });

  test('ASnapshotAndTheServicesReturnTogetherAskOnce', async () => {
    const { shown } = await followed();
    const seats = { bookedSeats: [], lockedSeats: [] };
    const about = { showtimeId: '123', timestamp: Date.now() };
    page.server.send({ type: 'current_seat_status', ...about, ...seats, ...shown.position() });
    page.server.send({ type: 'stream_status', ...about, live: true });
    await settle();
    expect(sent('subscribe')).toHaveLength(2);
  });

  test('ASnapshotThatNobodyAskedForKeepsThemAndAsksOnce', async () => {
    page.server.lock('123', ['A01', 'A02'], 'me');
    const { shown } = await followed();
    page.server.unlock('123', ['A02'], 'me');
    page.server.lock('123', ['A02'], 'other');
    await settle();
    // The edge skips what this reader was too slow for, its own change among it.
    const snapshot = {
      type: 'current_seat_status',
      showtimeId: '123',
      bookedSeats: [],
      lockedSeats: ['A01', 'A02'],
      timestamp: Date.now(),
      ...shown.position(),
    };
    page.server.send(snapshot);
    await settle(60_000);
    expect(sent('subscribe')).toHaveLength(2);
    expect(sent('subscribe')[1]).toMatchObject({ resume: shown.position() });
    expect(shown.ownSeats().map((seat) => seat.seatId)).toEqual(['A01']);
    expect(shown.seat('A02')).toEqual({ status: 'locked', mine: false });
  });

  test('AGuessThatWasWrongIsMended', async () => {
    page.server.lock('123', ['A01'], 'me');
    const { shown } = await followed();
    const position = shown.position();
    page.server.goStale();
    page.server.expire('123', ['A01']);
    page.server.lock('123', ['A01'], 'other');
    page.server.send({
      type: 'current_seat_status',
      showtimeId: '123',
      bookedSeats: [],
      lockedSeats: ['A01'],
      timestamp: Date.now(),
      epoch: position?.epoch,
      revision: 3,
    });
    await settle();
    expect(shown.seat('A01').mine).toBe(true); // still locked, so it may be
    expect(sent('subscribe')).toHaveLength(1);
    page.server.goLive();
    await settle();
    expect(sent('subscribe')).toHaveLength(2);
    expect(shown.seat('A01')).toEqual({ status: 'locked', mine: false });
  });

  test('AViewerDoesNotAsk', async () => {
    const shown = showtime('123');
    shown.follow();
    await settle();
    page.server.lock('123', ['A01'], 'other');
    page.server.newEpoch('123');
    await settle(60_000);
    expect(shown.seat('A01').status).toBe('available');
    expect(sent('subscribe')).toHaveLength(1);
  });

  test('AnotherHistoryTakesThem', async () => {
    page.server.lock('123', ['A01'], 'me');
    const { shown } = await followed();
    page.server.newEpoch('123');
    page.server.lock('123', ['A02'], 'me');
    await settle();
    expect(shown.ownSeats().map((seat) => seat.seatId)).toEqual(['A02']);
    expect(shown.position()?.revision).toBe(1);
  });
});

describe('updates', () => {
  test('AreTheFramesAndAfterASnapshotWhatDiffers', async () => {
    page.server.lock('123', ['A01'], 'other');
    const shown = showtime('123', { sessionId: 'me' });
    const updates: SeatUpdate[] = [];
    shown.onUpdate((update) => updates.push(update));
    shown.follow();
    await settle();
    page.server.lock('123', ['A02'], 'me');
    await settle();
    page.server.closeAll(1006);
    page.server.newEpoch('123');
    await settle(PAUSE_MS);
    expect(updates.map(({ seatId, status, cause }) => `${seatId} ${status} ${cause}`)).toEqual([
      'A01 locked snapshot',
      'A02 locked lock',
      'A01 unlocked snapshot',
      'A02 unlocked snapshot',
    ]);
  });

  test('HalfAChangeIsNotShownAndComesAgainWhole', async () => {
    page.server.lock('123', ['B01'], 'other');
    const { shown } = await followed();
    const updates = vi.fn();
    shown.onUpdate(updates);
    page.server.send(change('A01', 2, { more: true }));
    await settle();
    page.server.closeAll(1006);
    page.server.lock('123', ['A01', 'A02'], 'other');
    await settle(PAUSE_MS);
    expect(updates).toHaveBeenCalledTimes(2);
    expect(shown.seat('A02').status).toBe('locked');
  });

  test('BadFramesAreNothing', async () => {
    const { shown } = await followed();
    const before = shown.connection();
    for (const bad of [
      '',
      '{',
      '7',
      'null',
      '[]',
      '{"type":7}',
      JSON.stringify(change('A01', NaN)),
    ]) {
      page.server.send(bad);
    }
    page.server.send({ type: 'news', showtimeId: '123', timestamp: 1 });
    page.server.send(change('A02', 1, { showtimeId: 'another' }));
    page.server.lock('123', ['A03'], 'other');
    await settle();
    expect(shown.connection()).toBe(before);
    expect(shown.seat('A01').status).toBe('available');
    expect(shown.seat('A02').status).toBe('available');
    expect(shown.seat('A03').status).toBe('locked');
  });
});

describe('an initial snapshot', () => {
  const initialSnapshot = {
    epoch: 'epoch-b1',
    revision: 2,
    bookedSeats: ['A01'],
    lockedSeats: ['A02', 'A03'],
    yourSeats: [{ seatId: 'A03', expiresAt: 1_800_000_600_000 }],
  };

  test('IsShownBeforeAnythingIsOpened', () => {
    const shown = showtime('123', { sessionId: 'me', initialSnapshot });
    expect(shown.seat('A01').status).toBe('booked');
    expect(shown.seat('A02')).toEqual({ status: 'locked', mine: false });
    expect(shown.ownSeats()).toEqual(initialSnapshot.yourSeats);
    expect(shown.position()).toEqual({ epoch: 'epoch-b1', revision: 2 });
    expect(page.attempts()).toBe(0);
  });

  test('StaysForHydrationWhileTheSeatsMoveOn', async () => {
    page.server.book('123', ['A01']);
    page.server.lock('123', ['A02', 'A03'], 'other');
    const { shown } = await followed('123', { initialSnapshot });
    page.server.unlock('123', ['A02', 'A03'], 'other');
    await settle();
    expect(shown.connection().recovered).toBe(true);
    expect(shown.seat('A02').status).toBe('available');
    expect(shown.initialSeat('A02').status).toBe('locked');
    expect(shown.initialOwnSeats()).toEqual(initialSnapshot.yourSeats);
    expect(shown.initialSeat('A09').status).toBe('available');
  });

  test('DoesNotSetBackWhatIsFollowedOrFurther', async () => {
    page.server.lock('123', ['A04'], 'other');
    const { shown, release } = await followed();
    showtime('123', { sessionId: 'me', initialSnapshot });
    expect(shown.seat('A01').status).toBe('available');
    release();
    await settle(1_000);
    showtime('123', { sessionId: 'me', initialSnapshot: { ...initialSnapshot, revision: 1 } });
    expect(shown.seat('A01').status).toBe('available');
    showtime('123', { sessionId: 'me', initialSnapshot });
    expect(shown.seat('A01').status).toBe('booked');
  });

  test('WithoutOneAllIsAvailable', () => {
    const shown = showtime('123');
    expect(shown.initialSeat('A01').status).toBe('available');
    expect(shown.initialOwnSeats()).toEqual([]);
    expect(shown.position()).toBeNull();
  });
});

describe('answers', () => {
  test('AreShownBeforeTheirFrames', async () => {
    page.server.goStale();
    const { shown } = await followed();
    const answer = await seatLocks().lock('123', ['A01']);
    shown.apply(answer);
    expect(shown.ownSeats()).toEqual(answer.seats);
    page.server.goLive();
    await settle();
    expect(shown.ownSeats()).toEqual(answer.seats);
  });

  test('OfAnotherSessionAreIgnored', async () => {
    page.server.goStale();
    const { shown } = await followed('123', { sessionId: 'other' });
    shown.apply(await seatLocks().lock('123', ['A01']));
    expect(shown.ownSeats()).toEqual([]);
  });
});

describe('time', () => {
  test('ServerNowFollowsTheServersClock', async () => {
    const { shown } = await followed();
    expect(shown.serverNow()).toBe(Date.now());
    page.server.send({ type: 'heartbeat', timestamp: Date.now() + 5_000 });
    await settle();
    expect(shown.serverNow()).toBe(Date.now() + 5_000);
    page.server.closeAll(1006);
    await settle(PAUSE_MS);
    expect(shown.serverNow()).toBe(Date.now());
  });

  test('AnAnswerSaysTheServersTimeToo', () => {
    const shown = showtime('123', { sessionId: 'me' });
    const serverTime = Date.now() + 7_000;
    shown.apply({ sessionId: 'me', seats: [], revision: 0, serverTime });
    expect(shown.serverNow()).toBe(serverTime);
  });

  describe('on a device whose clock is set', () => {
    beforeEach(() => {
      page.leave();
      page = openPage({ now: rightClock });
    });

    test.each([-3_600_000, 3_600_000])('by %i ms: is right all the while', async (byMs) => {
      const { shown } = await followed();
      page.setClock(byMs);
      for (let n = 0; n < 60; n++) {
        expect(shown.serverNow()).toBe(rightClock());
        await settle(1_000);
      }
      // It was asked for the time once.
      expect(sent('ping')).toHaveLength(1);
    });

    test('ForAPageThatConnectedWhileItWasWrong', async () => {
      page.setClock(3_600_000);
      const { shown } = await followed();
      expect(shown.serverNow()).toBe(rightClock());
      page.setClock(-3_600_000);
      expect(shown.serverNow()).toBe(rightClock());
      await settle(60_000);
      expect(shown.serverNow()).toBe(rightClock());
    });

    test('LagIsNotTouched', async () => {
      const { shown } = await followed();
      page.setClock(3_600_000);
      page.server.lock('123', ['A01'], 'other');
      await settle();
      expect(shown.lagMs()).toBe(0);
    });
  });

  test('WhenTheNextAttemptIsMovesWithTheDevicesClock', async () => {
    const { shown } = await followed();
    page.server.refuseConnections(true);
    page.server.closeAll(1006);
    await settle();
    page.setClock(-3_600_000);
    shown.serverNow();
    await settle();
    expect(shown.connection().retryAt).toBe(Date.now() + PAUSE_MS);
    page.server.refuseConnections(false);
    await settle(PAUSE_MS);
    expect(shown.connection().status).toBe('live');
  });

  test('LagIsTheLastChangesDelayBeyondTheFastest', async () => {
    const { shown } = await followed();
    expect(shown.lagMs()).toBe(0);
    const timestamp = Date.now() - 120;
    page.server.send(change('A01', 1, { timestamp }));
    await settle();
    expect(shown.lagMs()).toBe(120);
    page.server.send(change('A01', 1, { timestamp: timestamp - 900 }));
    await settle();
    expect(shown.lagMs()).toBe(120);
    page.server.send(change('A02', 2));
    await settle();
    expect(shown.lagMs()).toBe(0);
  });
});
