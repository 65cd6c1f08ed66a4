// The server's clock, as estimated from what it sends.

import { afterEach, beforeEach, describe, expect, test, vi } from 'vitest';
import { type ServerClock, serverClock } from './clock.js';

const SERVER_AHEAD_MS = 60_000;
const HOUR = 3_600_000;

let serverNow: number;
let asked: number;

beforeEach(() => {
  vi.useFakeTimers({ now: 1_000_000 });
  serverNow = Date.now() + SERVER_AHEAD_MS;
  asked = 0;
});
afterEach(() => vi.useRealTimers());

/** A clock that heard the server, with nothing on the way. */
function heard(): ServerClock {
  const clock = serverClock(() => asked++);
  clock.hear(serverNow);
  return clock;
}

/** Both of this machine's clocks, and the server's, go on. */
function pass(ms: number): void {
  vi.advanceTimersByTime(ms);
  serverNow += ms;
}

/** This machine's clock alone is set. */
const set = (byMs: number) => vi.setSystemTime(Date.now() + byMs);

/** The monotonic clock sleeps too, as in some browsers. */
function sleep(ms: number): void {
  vi.setSystemTime(Date.now() + ms);
  serverNow += ms;
}

/** A time of the server that was on its way for `delayMs`. */
const sent = (delayMs: number) => serverNow - delayMs;

test('IsThisMachinesUntilSomethingIsHeard', () => {
  const clock = serverClock(() => {});
  expect(clock.now()).toBe(Date.now());
  set(HOUR);
  expect(clock.now()).toBe(Date.now());
  pass(10_000);
  expect(clock.now()).toBe(Date.now());
});

test('TrustsTheFastestDelivery', () => {
  const clock = serverClock(() => {});
  clock.hear(sent(80));
  clock.hear(sent(5));
  clock.hear(sent(900));
  expect(clock.now()).toBe(serverNow - 5);
});

test('SaysHowMuchLaterThanTheFastestADeliveryIs', () => {
  const clock = serverClock(() => {});
  expect(clock.hear(sent(20))).toBe(0);
  expect(clock.hear(sent(320))).toBe(300);
  expect(clock.hear(sent(10))).toBe(0);
});

test('BeginsAnewWithEachConnection', () => {
  const clock = heard();
  serverNow -= 5_000; // another edge, whose clock is behind
  clock.renew();
  expect(clock.now()).toBe(serverNow + 5_000);
  clock.hear(serverNow);
  expect(clock.now()).toBe(serverNow);
});

describe("this machine's clock is set", () => {
  test.each([HOUR, -HOUR, 2_000, -2_000])('by %i ms: moves nothing, and asks', async (byMs) => {
    const clock = heard();
    pass(20_000);
    set(byMs);
    expect(clock.now()).toBe(serverNow);
    await Promise.resolve();
    expect(asked).toBe(1);
    clock.hear(sent(40)); // the answer
    clock.answered();
    for (let n = 0; n < 20; n++) {
      pass(1_000);
      expect(clock.now()).toBe(serverNow);
    }
    expect(asked).toBe(1);
  });

  test('AndSetBackWhileTheServerIsSilent', () => {
    const clock = heard();
    set(HOUR);
    clock.now();
    set(-HOUR);
    clock.now();
    pass(60_000);
    expect(clock.now()).toBe(serverNow);
  });

  test('LatenessIsNotTouched', () => {
    const clock = heard();
    set(HOUR);
    expect(clock.hear(sent(120))).toBe(120);
    set(-2 * HOUR);
    expect(clock.hear(sent(70))).toBe(70);
  });

  test('SteeringIsNoJump', async () => {
    const clock = heard();
    for (let n = 0; n < 3_600; n++) {
      pass(1_000);
      set(n % 2 ? 1 : 0); // 500 ppm, the most that NTP steers
      clock.now();
    }
    await Promise.resolve();
    expect(asked).toBe(0);
    expect(clock.now()).toBe(serverNow);
  });
});

describe('the machine sleeps', () => {
  test('TheAnswerSaysHowLong', () => {
    const clock = heard();
    sleep(HOUR);
    clock.now();
    pass(30);
    clock.hear(sent(30));
    clock.answered();
    expect(clock.now()).toBe(serverNow - 30);
    pass(60_000);
    expect(clock.now()).toBe(serverNow - 30);
  });

  test('AnyFrameOfTheServersSaysHowLong', () => {
    const clock = heard();
    sleep(HOUR);
    clock.hear(sent(30));
    pass(60_000);
    expect(clock.now()).toBe(serverNow - 30);
  });

  test('OldFramesDoNot', () => {
    const clock = heard();
    const old = serverNow;
    sleep(HOUR);
    clock.hear(old); // lay in the socket's buffer meanwhile
    pass(5_000);
    expect(clock.now()).toBe(serverNow);
  });

  test('WithoutAnAnswerInFiveSecondsItIsTakenForSleep', () => {
    const clock = heard();
    sleep(HOUR);
    expect(clock.now()).toBe(serverNow - HOUR);
    pass(4_999);
    expect(clock.now()).toBe(serverNow - HOUR);
    pass(1);
    expect(clock.now()).toBe(serverNow);
  });

  test('TwoSleepsAddUp', () => {
    const clock = heard();
    sleep(HOUR);
    clock.now();
    pass(1_000);
    sleep(HOUR);
    clock.now();
    pass(5_000);
    expect(clock.now()).toBe(serverNow);
  });

  test('ANewConnectionSaysMoreThanWhatMayHaveBeenSleep', () => {
    const clock = heard();
    set(HOUR);
    clock.now();
    clock.renew();
    clock.hear(sent(0));
    pass(5_000);
    expect(clock.now()).toBe(serverNow);
  });

  test('TakenForSleepWronglyIsMendedByTheNextTime', () => {
    const clock = heard();
    set(HOUR);
    clock.now();
    pass(5_000);
    expect(clock.now()).toBe(serverNow + HOUR);
    clock.hear(sent(0));
    expect(clock.now()).toBe(serverNow);
  });
});
