import { afterEach, expect, test, vi } from 'vitest';
import { Backoff } from './backoff.js';

afterEach(() => vi.restoreAllMocks());

test.each([
  [59_999, 59_999],
  [60_001, 60_000],
  [Number.MAX_SAFE_INTEGER, 60_000],
])('of %i ms that the service asks for, %i are obeyed', (askedForMs, obeyedMs) => {
  vi.spyOn(Math, 'random').mockReturnValue(0);
  expect(new Backoff(1, 20).next(askedForMs)).toBe(obeyedMs);
});

test('the pause is never less than its own', () => {
  expect(new Backoff(10, 20).next(-1)).toBeGreaterThanOrEqual(5);
});

test.each([
  [0, 50, 100],
  [20, 50, 100],
  [60, 60, 110],
  [1_000, 1_000, 1_500],
  [3_600_000, 60_000, 90_000],
])('clients that are asked for %i ms come back evenly in %i to %i ms', (asked, least, most) => {
  const pauses = Array.from({ length: 1_000 }, () => new Backoff(100, 2_000).next(asked));
  for (const pause of pauses) {
    expect(pause).toBeGreaterThanOrEqual(least);
    expect(pause).toBeLessThanOrEqual(most);
  }
  const middle = (least + most) / 2;
  const early = pauses.filter((pause) => pause < middle).length;
  expect(Math.abs(early - 500)).toBeLessThan(100); // six standard deviations
});

test('jitter leaves a call that has little time the half of it', () => {
  const pauses = Array.from({ length: 1_000 }, () => new Backoff(100, 2_000).next(9_000, 10_000));
  expect(Math.min(...pauses)).toBeGreaterThanOrEqual(9_000);
  expect(Math.max(...pauses)).toBeLessThanOrEqual(9_500);
  expect(new Set(pauses).size).toBeGreaterThan(900);
  expect(new Backoff(100, 2_000).next(9_000, 8_000)).toBe(9_000);
});
