// The server's clock, as estimated from what it sends.

import { afterEach, beforeEach, expect, test, vi } from 'vitest';
import { serverClock } from './clock.js';

const SERVER_AHEAD_MS = 60_000;

beforeEach(() => vi.useFakeTimers({ now: 1_000_000 }));
afterEach(() => vi.useRealTimers());

/** A time of the server that was on its way for `delayMs`. */
const sent = (delayMs: number) => Date.now() + SERVER_AHEAD_MS - delayMs;

test('IsThisMachinesUntilSomethingIsHeard', () => {
  expect(serverClock().now()).toBe(Date.now());
});

test('TrustsTheFastestDelivery', () => {
  const clock = serverClock();
  clock.hear(sent(80));
  clock.hear(sent(5));
  clock.hear(sent(900));
  expect(clock.now()).toBe(Date.now() + SERVER_AHEAD_MS - 5);
});

test('SaysHowMuchLaterThanTheFastestADeliveryIs', () => {
  const clock = serverClock();
  expect(clock.hear(sent(20))).toBe(0);
  expect(clock.hear(sent(320))).toBe(300);
  expect(clock.hear(sent(10))).toBe(0);
});

test('BeginsAnewWithEachConnection', () => {
  const clock = serverClock();
  clock.hear(sent(0));
  vi.setSystemTime(Date.now() + 5_000); // this machine's clock was put forward
  clock.renew();
  expect(clock.now()).toBe(Date.now() + SERVER_AHEAD_MS);
  clock.hear(sent(0) - 5_000);
  expect(clock.now()).toBe(Date.now() + SERVER_AHEAD_MS - 5_000);
});
