// A crowd whose edge goes away, or sends all of it away: when 200 pages come back. Each is a
// session with a socket of its own. A seed that fails is printed; SEATLOCK_SEED=n runs it again
// alone. Chance has the last word: of 100 seeds, one or two have 21 to 23 in some 100 ms.

import { afterEach, beforeEach, describe, expect, test, vi } from 'vitest';
import { type Showtime, showtime } from './index.js';
import { openPage, type Page, settle } from './test/page.js';
import { randomOf } from './test/random.js';

const PAGES = 200;
const given = process.env.SEATLOCK_SEED;
const SEEDS = given ? [Number(given)] : [1, 2, 3, 4];

let page: Page;
beforeEach(() => {
  page = openPage();
});
afterEach(() => page.leave());

/** What a crowd did, in ms since the end of the outage. */
class Crowd {
  readonly attempts: number[] = [];
  readonly returns: number[] = [];
  private readonly shown: Showtime[] = [];
  private endedAt = Number.POSITIVE_INFINITY;

  /** Opens the pages, over a second, and lets them be live for `liveMs`. */
  static async gather(seed: number, liveMs: number): Promise<Crowd> {
    vi.spyOn(Math, 'random').mockImplementation(randomOf(seed));
    const crowd = new Crowd();
    crowd.countAttempts();
    for (let n = 0; n < PAGES; n++) {
      const one = showtime('123', { sessionId: `shopper-${n}` });
      one.follow();
      one.onConnection(() => crowd.noteReturn(one));
      crowd.shown.push(one);
      await settle(1_000 / PAGES);
    }
    await settle(liveMs);
    return crowd;
  }

  /** The edge is away for `ms`. */
  async outage(ms: number): Promise<void> {
    page.server.refuseConnections(true);
    page.server.closeAll(1006);
    await settle(ms);
    page.server.refuseConnections(false);
    this.end();
  }

  /** The edge sends all of them away. */
  sendAway(code: number): void {
    this.end();
    page.server.closeAll(code);
  }

  live(): number {
    return this.shown.filter((one) => one.connection().status === 'live').length;
  }

  /** Begins to count. */
  end(): void {
    this.endedAt = Date.now();
    this.attempts.length = this.returns.length = 0;
  }

  private noteReturn(one: Showtime): void {
    if (one.connection().status === 'live') this.returns.push(Date.now() - this.endedAt);
  }

  private countAttempts(): void {
    const note = () => this.attempts.push(Date.now() - this.endedAt);
    globalThis.WebSocket = new Proxy(globalThis.WebSocket, {
      construct(target, args: [string]) {
        note();
        return new target(...args);
      },
    });
  }
}

/** The most of `times` that lie within any 100 ms. */
function most(times: readonly number[]): number {
  const sorted = [...times].sort((a, b) => a - b);
  let first = 0;
  return sorted.reduce((found, time, last) => {
    while (time - (sorted[first] ?? 0) >= 100) first++;
    return Math.max(found, last - first + 1);
  }, 0);
}

describe('after an outage', () => {
  // The crowd comes back over as long as the edge was away, 1 s at least and 20 s at most. That is
  // why after less than a second more of it comes in the same moment.
  const outages = [
    { outageMs: 300, backMs: 1_000, share: 0.3 },
    { outageMs: 4_000, backMs: 6_000, share: 0.1 },
    { outageMs: 30_000, backMs: 20_000, share: 0.1 },
    { outageMs: 300_000, backMs: 20_000, share: 0.1 },
  ];

  test.each(outages.flatMap((outage) => SEEDS.map((seed) => ({ ...outage, seed }))))(
    'of $outageMs ms all are back in $backMs ms, evenly: SEATLOCK_SEED=$seed',
    async (given) => {
      const { outageMs, backMs, share, seed } = given;
      const crowd = await Crowd.gather(seed, 15_000);
      expect(crowd.live()).toBe(PAGES);
      await crowd.outage(outageMs);
      await settle(backMs);
      expect(crowd.live()).toBe(PAGES);
      expect(most(crowd.attempts)).toBeLessThanOrEqual(PAGES * share);
      expect(most(crowd.returns)).toBeLessThanOrEqual(PAGES * share);
    },
  );

  test('PagesThatWereJustOpenedComeBackAsSoon', async () => {
    const crowd = await Crowd.gather(1, 3_000);
    await crowd.outage(4_000);
    await settle(6_000);
    expect(crowd.live()).toBe(PAGES);
  });

  test('ControlACrowdWithoutJitterIsFoundOut', async () => {
    const crowd = await Crowd.gather(1, 15_000);
    vi.spyOn(Math, 'random').mockReturnValue(0.5);
    await crowd.outage(4_000);
    await settle(6_000);
    expect(most(crowd.attempts)).toBe(PAGES);
  });
});

describe('sent away', () => {
  test.each([4100, 4101, 4129].flatMap((code) => SEEDS.map((seed) => ({ code, seed }))))(
    'with $code none is back in 500 ms, then all evenly: SEATLOCK_SEED=$seed',
    async (given) => {
      const crowd = await Crowd.gather(given.seed, 15_000);
      crowd.sendAway(given.code);
      await settle(499);
      expect(crowd.attempts).toEqual([]);
      await settle(2_501);
      expect(crowd.live()).toBe(PAGES);
      expect(most(crowd.attempts)).toBeLessThanOrEqual(PAGES / 10);
    },
  );

  test('With4200AllAreBackAtOnce', async () => {
    const crowd = await Crowd.gather(1, 15_000);
    crowd.sendAway(4200);
    await settle(1);
    expect(crowd.live()).toBe(PAGES);
  });

  test.each(SEEDS)(
    'a showtime that is refused: asked for evenly: SEATLOCK_SEED=%i',
    async (seed) => {
      const crowd = await Crowd.gather(seed, 15_000);
      page.server.refuse('123', { retryAfterMs: 3_000 });
      await settle();
      page.server.allow('123');
      const before = page.server.received.length;
      await settle(2_999);
      expect(page.server.received).toHaveLength(before);
      crowd.end();
      await settle(3_001);
      expect(crowd.live()).toBe(PAGES);
      expect(most(crowd.returns)).toBeLessThanOrEqual(PAGES / 10);
    },
  );
});
