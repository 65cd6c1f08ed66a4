import { expect, test } from 'vitest';
import { Backoff } from './backoff.js';

test.each([
  [59_999, 59_999],
  [60_001, 60_000],
  [Number.MAX_SAFE_INTEGER, 60_000],
])('of %i ms that the service asks for, %i are obeyed', (askedForMs, obeyedMs) => {
  expect(new Backoff(1, 20).next(askedForMs)).toBe(obeyedMs);
});

test('the pause is never less than its own', () => {
  expect(new Backoff(10, 20).next(-1)).toBeGreaterThanOrEqual(5);
});
