import { beforeEach, expect, test } from 'vitest';
import { Presence } from './presence.js';

let now = 0;
let server: Presence;

beforeEach(() => {
  now = 1_000;
  server = new Presence(() => now);
});

/** Ends the pause of a server that is away, and lets one caller try it. */
function tryAgain(): void {
  now += server.waitMs;
  server.asked();
}

test('a server is here until it is lost, whatever is asked and answered', () => {
  server.asked();
  server.answered();
  server.undecided();
  expect(server.state).toBe('here');
  expect(server.waitMs).toBe(0);
});

test('one that is lost is left alone for a short pause', () => {
  server.lost();
  expect(server.state).toBe('away');
  expect(server.waitMs).toBeGreaterThanOrEqual(250);
  expect(server.waitMs).toBeLessThanOrEqual(500);
});

test('the losses of calls that were under way do not make the pause longer', () => {
  server.lost();
  const wait = server.waitMs;
  for (let i = 0; i < 100; ++i) server.lost();
  expect(server.waitMs).toBe(wait);
});

test('an answer to a call made before says nothing about now', () => {
  server.lost();
  server.answered();
  expect(server.state).toBe('away');
});

test('after the pause one caller tries it, and the others wait for what that one hears', () => {
  server.lost();
  tryAgain();
  expect(server.state).toBe('trying');
  expect(server.waitMs).toBeGreaterThan(0);
  server.answered();
  expect(server.state).toBe('here');
  expect(server.waitMs).toBe(0);
});

test('pauses grow up to five seconds, and begin anew once it has answered', () => {
  const pauses: number[] = [];
  server.lost();
  for (let i = 0; i < 10; ++i) {
    pauses.push(server.waitMs);
    tryAgain();
    server.lost();
  }
  expect(pauses[1]).toBeGreaterThanOrEqual(500);
  expect(pauses[9]).toBeGreaterThanOrEqual(2_500);
  expect(Math.max(...pauses)).toBeLessThanOrEqual(5_000);
  tryAgain();
  server.answered();
  server.lost();
  expect(server.waitMs).toBeLessThanOrEqual(500);
});

test('a caller that gives up lets the next one try', () => {
  server.lost();
  tryAgain();
  server.undecided();
  expect(server.state).toBe('away');
  expect(server.waitMs).toBe(0);
});

test('a caller that tries and then takes its time keeps the others away for five seconds', () => {
  server.lost();
  tryAgain();
  expect(server.waitMs).toBe(5_000);
  now += 5_000;
  expect(server.waitMs).toBe(0);
});

test.each([
  [10_000, 10_000, 15_000],
  [3_600_000, 60_000, 90_000],
])('one that asks for %i ms is left alone for %i to %i', (asked, least, most) => {
  server.lost(asked);
  expect(server.waitMs).toBeGreaterThanOrEqual(least);
  expect(server.waitMs).toBeLessThanOrEqual(most);
});

test('one that asks later, while it is away, is left alone for as long', () => {
  server.lost();
  server.lost(10_000);
  expect(server.waitMs).toBe(10_000);
});

test('clients that lost it together do not come back together', () => {
  const waits = new Set(
    Array.from({ length: 100 }, () => {
      const one = new Presence(() => now);
      one.lost();
      return one.waitMs;
    }),
  );
  expect(waits.size).toBeGreaterThan(90);
});
