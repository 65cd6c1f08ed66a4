// The seats of one showtime: the stream's layer, the answers' over it, and who is told.

import { beforeEach, describe, expect, test, vi } from 'vitest';
import type { SeatUpdate } from './protocol.js';
import { type SeatStore, type Snapshot, seatStore } from './store.js';
import type { SeatLocksAnswer } from './types.js';

const FREE = { status: 'available', mine: false };
const TAKEN = { status: 'locked', mine: false };
const mine = (expiresAt: number) => ({ status: 'locked', mine: true, expiresAt });

function snapshotAt(revision: number, seats: Partial<Snapshot> = {}): Snapshot {
  return { epoch: 'e', revision, timestamp: 1, bookedSeats: [], lockedSeats: [], ...seats };
}

function frame(revision: number, seatId: string, more: Partial<SeatUpdate> = {}): SeatUpdate {
  const base = { type: 'seat_status_change', showtimeId: '123', timestamp: 1 } as const;
  return { ...base, revision, seatId, status: 'locked', ...more };
}

function answerAt(revision: number, locks: Record<string, number> = {}): SeatLocksAnswer {
  const seats = Object.entries(locks).map(([seatId, expiresAt]) => ({ seatId, expiresAt }));
  return { sessionId: 'me', revision, seats, serverTime: 1 };
}

let store: SeatStore;
beforeEach(() => {
  store = seatStore('123', 'me');
});

describe('changes', () => {
  test('OneChangeTouchesOneSeat', () => {
    store.snapshot(snapshotAt(1, { lockedSeats: ['A01', 'A02'] }), []);
    const [a01, a02, a03] = [vi.fn(), vi.fn(), vi.fn()];
    store.onSeat('A01', a01);
    store.onSeat('A02', a02);
    store.onSeat('A03', a03);
    const before = store.seat('A02');
    store.change(frame(2, 'A01', { status: 'booked' }));
    expect(a01).toHaveBeenCalledOnce();
    expect(a02).not.toHaveBeenCalled();
    expect(a03).not.toHaveBeenCalled();
    expect(store.seat('A02')).toBe(before);
    expect(store.seat('A03')).toBe(store.seat('A04'));
  });

  test('OwnSeatsAreThoseOfFramesThatNameTheSession', () => {
    store.snapshot(snapshotAt(1), []);
    store.change(frame(2, 'A01', { sessionId: 'me', expiresAt: 50 }));
    store.change(frame(3, 'A02'));
    expect(store.seat('A01')).toEqual(mine(50));
    expect(store.seat('A02')).toEqual(TAKEN);
    store.change(frame(4, 'A01', { sessionId: 'me', expiresAt: 90, cause: 'extend' }));
    expect(store.ownSeats()).toEqual([{ seatId: 'A01', expiresAt: 90 }]);
    store.change(frame(5, 'A01', { sessionId: 'me', status: 'booked' }));
    expect(store.seat('A01')).toEqual({ status: 'booked', mine: true });
    expect(store.ownSeats()).toEqual([]);
  });

  test('NothingIsAViewersOwn', () => {
    const viewer = seatStore('123', undefined);
    viewer.snapshot(snapshotAt(1), []);
    viewer.change(frame(2, 'A01'));
    viewer.change(frame(3, 'A02', { status: 'booked' }));
    expect(viewer.seat('A01')).toEqual(TAKEN);
    expect(viewer.seat('A02')).toEqual({ status: 'booked', mine: false });
  });

  test('AStatusThatIsNotKnownMeansNotAvailable', () => {
    store.snapshot(snapshotAt(1), []);
    store.change({ ...frame(2, 'A01'), status: 'blocked' as 'booked' });
    expect(store.seat('A01').status).toBe('booked');
  });

  test('WhatIsNotNewerIsIgnored', () => {
    store.snapshot(snapshotAt(5), []);
    const updates = vi.fn();
    store.onUpdate(updates);
    store.change(frame(5, 'A01'));
    store.change(frame(4, 'A01'));
    expect(store.seat('A01')).toEqual(FREE);
    expect(updates).not.toHaveBeenCalled();
  });

  test('ASkippedRevisionIsNoGap', () => {
    store.snapshot(snapshotAt(5), []);
    store.change(frame(9, 'A01'));
    expect(store.position()).toEqual({ epoch: 'e', revision: 9 });
  });

  test('TheFirstChangeTellsTheEpoch', () => {
    store.snapshot(snapshotAt(0, { epoch: '' }), []);
    store.change(frame(1, 'A01', { epoch: 'new', more: true }));
    store.change(frame(1, 'A02', { epoch: 'new' }));
    expect(store.position()).toEqual({ epoch: 'new', revision: 1 });
  });

  test('AChangeOfSeveralSeatsIsShownAtOnce', () => {
    store.snapshot(snapshotAt(1), []);
    const seen: string[] = [];
    const look = () => seen.push(`${store.seat('A01').status} ${store.seat('A02').status}`);
    store.onSeat('A01', look);
    store.onUpdate(look);
    store.change(frame(2, 'A01', { more: true }));
    expect(store.seat('A01')).toEqual(FREE);
    expect(store.position()?.revision).toBe(1);
    store.change(frame(2, 'A02'));
    expect(seen).toEqual(['locked locked', 'locked locked', 'locked locked']);
    expect(store.position()?.revision).toBe(2);
  });

  test('HalfAChangeIsForgottenWithItsSocket', () => {
    store.snapshot(snapshotAt(1), []);
    store.change(frame(2, 'A01', { more: true }));
    store.forget();
    store.change(frame(2, 'A02', { more: true }));
    store.change(frame(2, 'A03'));
    expect(store.seat('A01')).toEqual(FREE);
    expect(store.seat('A02')).toEqual(TAKEN);
  });

  test('AChangeWithoutEndIsBounded', () => {
    store.snapshot(snapshotAt(1), []);
    for (let n = 0; n < 10_000; n++) store.change(frame(2, `A${n}`, { more: true }));
    expect(store.seat('A9999')).toEqual(TAKEN);
    expect(store.position()?.revision).toBe(1);
    store.change(frame(2, 'B01'));
    expect(store.position()?.revision).toBe(2);
  });

  test('NothingIsShownBeforeTheFirstSnapshot', () => {
    store.change(frame(2, 'A01'));
    expect(store.seat('A01')).toEqual(FREE);
    expect(store.position()).toBeNull();
  });

  test('AListenerThatEndedHearsNoMore', () => {
    store.snapshot(snapshotAt(1), []);
    const [first, second] = [vi.fn(), vi.fn()];
    const end = store.onSeat('A01', first);
    end();
    store.onSeat('A01', second);
    end();
    store.change(frame(2, 'A01'));
    expect(first).not.toHaveBeenCalled();
    expect(second).toHaveBeenCalledOnce();
  });
});

describe('own seats', () => {
  test('AreOrderedAndTheSameArrayUntilOneChanges', () => {
    store.snapshot(snapshotAt(1, { lockedSeats: ['B02', 'A10', 'A09'] }), [
      { seatId: 'B02', expiresAt: 2 },
      { seatId: 'A10', expiresAt: 1 },
    ]);
    const listener = vi.fn();
    store.onOwnSeats(listener);
    const before = store.ownSeats();
    expect(before.map((seat) => seat.seatId)).toEqual(['A10', 'B02']);
    store.change(frame(2, 'A09', { status: 'unlocked' }));
    expect(store.ownSeats()).toBe(before);
    expect(listener).not.toHaveBeenCalled();
    store.change(frame(3, 'B02', { status: 'unlocked', sessionId: 'me' }));
    expect(store.ownSeats()).toEqual([{ seatId: 'A10', expiresAt: 1 }]);
    expect(listener).toHaveBeenCalledOnce();
  });

  test('ThoseOfAResumeAreMarkedAtOnceAndTheMissedChangesSayTheRest', () => {
    store.snapshot(snapshotAt(5, { lockedSeats: ['A01', 'A02'] }), []);
    // By now the session holds A01 and A03; A03 was locked in revision 6, which follows.
    const yours = ['A01', 'A03'].map((seatId) => ({ seatId, expiresAt: 50 }));
    store.own(yours, false);
    expect(store.seat('A01')).toEqual(mine(50));
    expect(store.seat('A02')).toEqual(TAKEN);
    expect(store.seat('A03')).toEqual(FREE);
    store.change(frame(6, 'A03', { sessionId: 'me', expiresAt: 50 }));
    expect(store.ownSeats()).toEqual(yours);
  });

  test('WhatAResumeDoesNotNameStaysUnlessItWasAGuess', () => {
    const locks = [{ seatId: 'A01', expiresAt: 9 }];
    store.snapshot(snapshotAt(5, { lockedSeats: ['A01'] }), locks);
    store.own([], false);
    expect(store.seat('A01')).toEqual(mine(9));
    store.own([], true);
    expect(store.seat('A01')).toEqual(TAKEN);
  });
});

describe('snapshots', () => {
  test('ReplaceAllAndTellWhatDiffers', () => {
    store.snapshot(snapshotAt(1, { lockedSeats: ['A01', 'A02'], bookedSeats: ['A03'] }), []);
    const updates: SeatUpdate[] = [];
    store.onUpdate((update) => updates.push(update));
    const next = snapshotAt(7, { lockedSeats: ['A02', 'A04'], bookedSeats: ['A03'], timestamp: 5 });
    store.snapshot(next, [{ seatId: 'A04', expiresAt: 9 }]);
    const base = { type: 'seat_status_change', showtimeId: '123', timestamp: 5, revision: 7 };
    const cause = 'snapshot';
    expect(updates).toEqual([
      { ...base, cause, seatId: 'A01', status: 'unlocked' },
      { ...base, cause, seatId: 'A04', status: 'locked', sessionId: 'me', expiresAt: 9 },
    ]);
  });

  test('TheFirstDiffersFromAllAvailable', () => {
    const updates = vi.fn();
    store.onUpdate(updates);
    store.snapshot(snapshotAt(1, { lockedSeats: ['A01'], bookedSeats: ['A03'] }), []);
    expect(updates).toHaveBeenCalledTimes(2);
  });

  test('AnOlderOneOfTheSameHistoryIsIgnored', () => {
    store.snapshot(snapshotAt(7, { lockedSeats: ['A01'] }), []);
    expect(store.snapshot(snapshotAt(6), [])).toBe(false);
    expect(store.seat('A01')).toEqual(TAKEN);
  });

  test('AnotherHistoryVoidsWhatWasKnown', () => {
    store.snapshot(snapshotAt(7, { lockedSeats: ['A01'] }), [{ seatId: 'A01', expiresAt: 9 }]);
    store.answer(answerAt(9, { A02: 9 }));
    expect(store.snapshot(snapshotAt(2, { epoch: 'f', lockedSeats: ['A01', 'A03'] }))).toBe(true);
    expect(store.seat('A01')).toEqual(TAKEN);
    expect(store.seat('A02')).toEqual(FREE);
    expect(store.position()).toEqual({ epoch: 'f', revision: 2 });
  });

  test('WithoutOwnSeatsThoseThatAreStillLockedStay', () => {
    const locks = ['A01', 'A02', 'A03'].map((seatId) => ({ seatId, expiresAt: 9 }));
    store.snapshot(snapshotAt(7, { lockedSeats: ['A01', 'A02', 'A03'] }), locks);
    store.snapshot(snapshotAt(9, { lockedSeats: ['A01', 'A04'], bookedSeats: ['A02'] }));
    expect(store.seat('A01')).toEqual(mine(9));
    expect(store.seat('A02')).toEqual({ status: 'booked', mine: false });
    expect(store.seat('A03')).toEqual(FREE);
    expect(store.seat('A04')).toEqual(TAKEN);
  });

  test('WhatWasSeenBookedAsOwnStaysOwn', () => {
    store.snapshot(snapshotAt(1), []);
    store.change(frame(2, 'A01', { status: 'booked', sessionId: 'me' }));
    store.snapshot(snapshotAt(5, { bookedSeats: ['A01', 'A02'] }), []);
    expect(store.seat('A01')).toEqual({ status: 'booked', mine: true });
    expect(store.seat('A02')).toEqual({ status: 'booked', mine: false });
  });
});

describe('answers', () => {
  beforeEach(() => {
    store.snapshot(snapshotAt(5, { lockedSeats: ['A01', 'A02'] }), [
      { seatId: 'A01', expiresAt: 9 },
    ]);
  });

  test('ANewerOneIsShownUntilTheStreamHasCaughtUp', () => {
    store.answer(answerAt(7, { A03: 20 }));
    expect(store.seat('A03')).toEqual(mine(20));
    expect(store.seat('A01')).toEqual(FREE); // a swap: given up in the same step
    expect(store.seat('A02')).toEqual(TAKEN);
    store.change(frame(6, 'A02', { status: 'unlocked' }));
    expect(store.seat('A03')).toEqual(mine(20));
    store.change(frame(7, 'A01', { status: 'unlocked', sessionId: 'me', more: true }));
    store.change(frame(7, 'A03', { sessionId: 'me', expiresAt: 20 }));
    store.change(frame(8, 'A03', { status: 'unlocked', sessionId: 'me' }));
    expect(store.seat('A03')).toEqual(FREE);
  });

  test('OneThatTheStreamIsPastChangesNothing', () => {
    const listener = vi.fn();
    store.onOwnSeats(listener);
    store.answer(answerAt(5, { A04: 20 }));
    store.answer(answerAt(4, {}));
    expect(store.ownSeats()).toEqual([{ seatId: 'A01', expiresAt: 9 }]);
    expect(listener).not.toHaveBeenCalled();
  });

  test('TheNewestWinsInWhicheverOrderTheyCome', () => {
    store.answer(answerAt(8, {}));
    store.answer(answerAt(7, { A01: 9, A03: 20 }));
    expect(store.ownSeats()).toEqual([]);
  });

  test('TheyMakeNoUpdates', () => {
    const updates = vi.fn();
    store.onUpdate(updates);
    store.answer(answerAt(7, { A03: 20 }));
    expect(updates).not.toHaveBeenCalled();
  });

  test('TheFrameOfWhatAnAnswerShowedTouchesNothingAgain', () => {
    store.answer(answerAt(6, { A01: 9, A03: 20 }));
    const listener = vi.fn();
    store.onSeat('A03', listener);
    store.onOwnSeats(listener);
    const before = store.seat('A03');
    store.change(frame(6, 'A03', { sessionId: 'me', expiresAt: 20 }));
    expect(store.seat('A03')).toBe(before);
    expect(listener).not.toHaveBeenCalled();
  });

  test('OneBeforeTheFirstSnapshotIsShownAndOutlivesAnOlderSnapshot', () => {
    const fresh = seatStore('123', 'me');
    fresh.answer(answerAt(7, { A03: 20 }));
    expect(fresh.seat('A03')).toEqual(mine(20));
    fresh.snapshot(snapshotAt(6), []);
    expect(fresh.seat('A03')).toEqual(mine(20));
    fresh.snapshot(snapshotAt(7), []);
    expect(fresh.seat('A03')).toEqual(FREE);
  });

  test('OneOfTheHistoryBeforeIsNotShownAndHoldsOffNoNewerOne', () => {
    store.snapshot(snapshotAt(900, { timestamp: 1_000 }), []);
    store.snapshot(snapshotAt(2, { epoch: 'f', timestamp: 2_000 }), []);
    store.answer({ ...answerAt(901, { A01: 50 }), serverTime: 1_999 });
    expect(store.seat('A01')).toEqual(FREE);
    store.answer({ ...answerAt(3, { A02: 60 }), serverTime: 2_001 });
    expect(store.ownSeats()).toEqual([{ seatId: 'A02', expiresAt: 60 }]);
  });

  test('OneThatIsAheadOfTheVeryFirstChangeWaitsForIt', () => {
    const fresh = seatStore('123', 'me');
    fresh.snapshot(snapshotAt(0, { epoch: '' }), []);
    fresh.answer(answerAt(2, { A03: 20 }));
    fresh.change(frame(1, 'A01', { epoch: 'e' }));
    expect(fresh.seat('A03')).toEqual(mine(20));
  });
});
