// The pauses between attempts, and what close codes ask for.

import { afterEach, describe, expect, test, vi } from 'vitest';
import { backoffMs, FLOOR_MS } from './backoff.js';
import { comeBack } from './close_codes.js';

afterEach(() => vi.restoreAllMocks());

describe('backoff', () => {
  test('DoublesFromHalfASecondToTwentySeconds', () => {
    vi.spyOn(Math, 'random').mockReturnValue(1);
    const pauses = [0, 1, 2, 3, 4, 5, 6, 7, 100, 5_000].map((attempt) => backoffMs(attempt));
    expect(pauses).toEqual([500, 1e3, 2e3, 4e3, 8e3, 16e3, 20e3, 20e3, 20e3, 20e3]);
  });

  test('JitterIsFull', () => {
    vi.spyOn(Math, 'random').mockReturnValue(0.25);
    expect(backoffMs(3)).toBe(1_000);
  });

  test('NeverIsABusyLoop', () => {
    vi.spyOn(Math, 'random').mockReturnValue(0);
    expect(backoffMs(0)).toBe(FLOOR_MS);
    expect(backoffMs(9, 500)).toBe(500);
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
