// Taps in any order on a network that loses and delays: what is held in the end is what was wanted
// last, or the shopper was told. The control makes each call at once, and leaves ghosts.

import { type SeatLocks, seatLocks, showtime } from '@seatlock/client';
import { FakeSeatServer } from '@seatlock/client/testing';
import { afterEach, beforeEach, describe, expect, test, vi } from 'vitest';
import { createSeatSelection } from './selection.js';
import type { HoldFailure } from './selection_types.js';
import { badNetwork, type Random, randomOf } from './testing/random.js';

const SEATS = ['A01', 'A02', 'A03'];
const TAPS = 24;
const SEEDS = Array.from({ length: Number(process.env.SEEDS ?? 60) }, (_, i) => i + 1);
// One again: SEED=n. More: SEEDS=1000.
const seeds = process.env.SEED ? [Number(process.env.SEED)] : SEEDS;

beforeEach(() => {
  vi.useFakeTimers();
});

afterEach(() => {
  vi.useRealTimers();
});

interface Tapped {
  readonly tap: (seatId: string) => void;
  readonly wanted: ReadonlyMap<string, boolean>;
  /** Seats whose last intent failed, as the shopper was told. */
  readonly told: ReadonlySet<string>;
  readonly shown: (seatId: string) => string;
  readonly end: () => void;
}

/** Taps at random, lets everything end, and returns the seats that are not as they were wanted. */
async function ghostsOf(
  seed: number,
  lossRate: number,
  make: (api: SeatLocks) => Tapped,
): Promise<string[]> {
  const server = new FakeSeatServer({ sessionId: 'me' });
  const undo = server.install();
  const random = randomOf(seed);
  const lateMs = 300;
  const inFlight = new Map<string, number>();
  const fetch = badNetwork(server.fetch, random, { lateMs, lossRate });
  const tapped = make(oneAtATime(seatLocks({ fetch }), inFlight));
  await vi.advanceTimersByTimeAsync(50);
  await tapAtRandom(tapped, random);
  await vi.advanceTimersByTimeAsync(120_000);
  const answer = await server.fetch('/api/seat-locks?showtimeId=123');
  const body: { seats: { seatId: string }[] } = await answer.json();
  const held = new Set(body.seats.map((seat) => seat.seatId));
  const ghosts = SEATS.filter((seatId) => {
    const asShown = (tapped.shown(seatId) === 'selected') === held.has(seatId);
    const asWanted = held.has(seatId) === (tapped.wanted.get(seatId) ?? false);
    return !asShown || !(asWanted || tapped.told.has(seatId));
  });
  if ([...inFlight.values()].some((most) => most > 1)) ghosts.push('two calls at once');
  tapped.end();
  undo();
  return ghosts;
}

async function tapAtRandom(tapped: Tapped, random: Random): Promise<void> {
  for (let i = 0; i < TAPS; i++) {
    tapped.tap(SEATS[Math.floor(random() * SEATS.length)] ?? 'A01');
    await vi.advanceTimersByTimeAsync(random() < 0.4 ? 0 : random() * 400);
  }
}

/** Notes the most calls that were under way for a seat at a time. */
function oneAtATime(api: SeatLocks, most: Map<string, number>): SeatLocks {
  const now = new Map<string, number>();
  const noted = async <T>(seatIds: readonly string[], call: () => Promise<T>): Promise<T> => {
    for (const seatId of seatIds) {
      const count = (now.get(seatId) ?? 0) + 1;
      now.set(seatId, count);
      most.set(seatId, Math.max(count, most.get(seatId) ?? 0));
    }
    try {
      return await call();
    } finally {
      for (const seatId of seatIds) now.set(seatId, (now.get(seatId) ?? 1) - 1);
    }
  };
  return {
    ...api,
    lock: (showtimeId, seatIds) => noted(seatIds, () => api.lock(showtimeId, seatIds)),
    unlock: (showtimeId, seatIds) => noted(seatIds, () => api.unlock(showtimeId, seatIds)),
  };
}

function withSelection(api: SeatLocks): Tapped {
  const wanted = new Map<string, boolean>();
  const told = new Set<string>();
  const followed = showtime('123', { sessionId: 'me' });
  const selection = createSeatSelection({ showtime: followed, api, open: () => followed });
  selection.configure({
    onHoldFailed: (failure: HoldFailure) => {
      for (const seatId of failure.seatIds) told.add(seatId);
    },
    onHoldExpired: ({ seatIds }) => {
      for (const seatId of seatIds) told.add(seatId);
    },
  });
  const end = selection.start();
  const tap = (seatId: string) => {
    told.delete(seatId);
    wanted.set(seatId, ['available', 'releasing'].includes(selection.phase(seatId)));
    selection.toggle(seatId);
  };
  return { tap, wanted, told, shown: (seatId) => selection.phase(seatId), end };
}

/** The control: a tap is a call, and the page shows what the tap wanted. */
function withoutOrder(api: SeatLocks): Tapped {
  const wanted = new Map<string, boolean>();
  const tap = (seatId: string) => {
    const want = !wanted.get(seatId);
    wanted.set(seatId, want);
    const call = want ? api.lock('123', [seatId]) : api.unlock('123', [seatId]);
    call.catch(() => wanted.set(seatId, !want));
  };
  const shown = (seatId: string) => (wanted.get(seatId) ? 'selected' : 'available');
  return { tap, wanted, told: new Set(), shown, end: () => {} };
}

describe.each([
  ['slow', 0],
  ['lossy', 0.3],
])('OnANetworkThatIs %s', (_, lossRate) => {
  test.each(seeds)('TheLastIntentWins, seed %i', async (seed) => {
    expect(await ghostsOf(seed, lossRate, withSelection)).toEqual([]);
  });

  test('WithoutOrderThereAreGhosts', async () => {
    const bad: number[] = [];
    for (const seed of SEEDS.slice(0, 10)) {
      const ghosts = await ghostsOf(seed, lossRate, withoutOrder);
      if (ghosts.some((ghost) => SEATS.includes(ghost))) bad.push(seed);
    }
    expect(bad.length).toBeGreaterThan(0);
  });
});

describe('ADoubleTap', () => {
  test('WhileTheFirstLockIsUnderWayUnlocksAfterIt', async () => {
    const server = new FakeSeatServer({ sessionId: 'me' });
    const undo = server.install();
    server.delayCalls(200);
    const tapped = withSelection(seatLocks());
    await vi.advanceTimersByTimeAsync(300);
    tapped.tap('A01');
    tapped.tap('A01');
    expect(tapped.shown('A01')).toBe('releasing');
    await vi.advanceTimersByTimeAsync(1_000);
    expect(server.calls.map((call) => call.method)).toEqual(['GET', 'POST', 'DELETE']);
    expect(tapped.shown('A01')).toBe('available');
    tapped.end();
    undo();
  });

  test('ThatEndsWhereTheCallUnderWayLeadsMakesNoFurtherCall', async () => {
    const server = new FakeSeatServer({ sessionId: 'me' });
    const undo = server.install();
    server.delayCalls(200);
    const tapped = withSelection(seatLocks());
    await vi.advanceTimersByTimeAsync(300);
    for (let i = 0; i < 3; i++) tapped.tap('A01');
    await vi.advanceTimersByTimeAsync(1_000);
    expect(server.calls.map((call) => call.method)).toEqual(['GET', 'POST']);
    expect(tapped.shown('A01')).toBe('selected');
    tapped.end();
    undo();
  });

  test('OfManyShoppersDoNotAskABusyServerAgainAtOnce', async () => {
    const again: number[] = [];
    for (let shopper = 0; shopper < 100; shopper++) {
      const server = new FakeSeatServer({ sessionId: 'me' });
      const undo = server.install();
      const tapped = withSelection(seatLocks());
      await vi.advanceTimersByTimeAsync(10);
      server.failNextCall({ status: 503, code: 'DRAINING' });
      tapped.tap('A01');
      const posts = () => server.calls.filter((call) => call.method === 'POST').length;
      let ms = 0;
      for (; posts() < 2 && ms < 2_000; ms += 10) await vi.advanceTimersByTimeAsync(10);
      again.push(ms);
      tapped.end();
      undo();
    }
    // Each of them was asked to wait for a second.
    expect(Math.min(...again)).toBeGreaterThanOrEqual(1_000);
    expect(Math.max(...again)).toBeLessThanOrEqual(1_510);
    expect(new Set(again).size).toBeGreaterThan(20);
  });

  test('OfABusyServerEndsItsPauseWithoutACall', async () => {
    const server = new FakeSeatServer({ sessionId: 'me' });
    const undo = server.install();
    const tapped = withSelection(seatLocks());
    await vi.advanceTimersByTimeAsync(10);
    server.failNextCall({ status: 503, code: 'DRAINING' });
    tapped.tap('A01');
    await vi.advanceTimersByTimeAsync(100);
    tapped.tap('A01');
    await vi.advanceTimersByTimeAsync(1);
    expect(tapped.shown('A01')).toBe('available');
    await vi.advanceTimersByTimeAsync(5_000);
    expect(server.calls.map((call) => call.method)).toEqual(['GET', 'POST']);
    tapped.end();
    undo();
  });
});
