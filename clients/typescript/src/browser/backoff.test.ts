// The pauses between attempts, and what close codes ask for.

import { afterEach, beforeEach, describe, expect, test, vi } from 'vitest';
import { comeBacks, retryMs } from './backoff.js';
import { comeBack } from './close_codes.js';
import { randomOf } from './test/random.js';

beforeEach(() => vi.useFakeTimers({ now: 1_000_000 }));
afterEach(() => {
  vi.restoreAllMocks();
  vi.useRealTimers();
});

/** Pauses of 10,000 pages, sorted. */
function many(pause: () => number): number[] {
  vi.spyOn(Math, 'random').mockImplementation(randomOf(1));
  return Array.from({ length: 10_000 }, pause).sort((a, b) => a - b);
}

describe('pauses', () => {
  test.each([
    ['as usual', 100, 1_000],
    ['after a pause', 500, 3_000],
  ] as const)(
    '%s: even from %i to %i ms, and none at the floor for want of more',
    (back, least, most) => {
      const found = many(() => comeBacks().lost(back).ms);
      expect(found[0]).toBeGreaterThanOrEqual(least);
      expect(found.at(-1)).toBeLessThanOrEqual(most);
      for (const share of [0.1, 0.5, 0.9]) {
        const even = least + share * (most - least);
        expect(Math.abs(Number(found[10_000 * share]) - even)).toBeLessThan((most - least) * 0.03);
      }
      // The floor is one of many values.
      expect(found.filter((ms) => ms === least).length).toBeLessThan(50);
    },
  );

  test('AreHalfToWholeOfALongOutageAndTwentySecondsAtMost', () => {
    const backs = comeBacks();
    vi.advanceTimersByTime(9_000);
    const found = many(() => backs.lost('as usual').ms);
    expect(found[0]).toBeGreaterThanOrEqual(4_500);
    expect(found.at(-1)).toBeLessThanOrEqual(9_000);
    vi.advanceTimersByTime(9_000_000);
    expect(many(() => backs.lost('after a pause').ms).at(-1)).toBeLessThanOrEqual(20_000);
  });

  test('AreNotLongerBecauseThisDevicesClockWasSet', () => {
    vi.spyOn(Math, 'random').mockReturnValue(1);
    const backs = comeBacks();
    vi.setSystemTime(Date.now() + 3_600_000);
    expect(backs.lost('as usual').ms).toBe(1_000);
  });
});

describe('a refused showtime', () => {
  test.each([
    [3_000, 3_000, 6_000],
    [200, 200, 1_200],
    [50, 100, 1_050],
    [undefined, 1_000, 2_000],
    [0, 1_000, 2_000],
    [-5, 1_000, 2_000],
    [Number.NaN, 1_000, 2_000],
    [30_000, 30_000, 55_000],
    [60_000, 30_000, 55_000],
    [Number.POSITIVE_INFINITY, 30_000, 55_000],
    [8.64e15, 30_000, 55_000],
  ])('that asks for %d ms is asked for again after %i to %i ms', (asked, least, most) => {
    const found = many(() => retryMs(asked));
    expect(found[0]).toBeGreaterThanOrEqual(least);
    expect(found[0]).toBeLessThan(least + (most - least) * 0.01 + 1);
    expect(found.at(-1)).toBeLessThanOrEqual(most);
    expect(found.at(-1)).toBeGreaterThan(most - (most - least) * 0.01 - 1);
  });
});

describe('close codes', () => {
  test.each([
    [0, 'as usual'],
    [1000, 'as usual'],
    [1006, 'as usual'],
    [1009, 'as usual'],
    [3999, 'as usual'],
    [4000, 'never'],
    [4099, 'never'],
    [4100, 'after a pause'],
    [4199, 'after a pause'],
    [4200, 'at once'],
    [4299, 'at once'],
    [4300, 'as usual'],
  ])('%i: come back %s', (code, expected) => {
    expect(comeBack(code)).toBe(expected);
  });
});
