// When 1,000 pages fetch their tokens. Each has a keeper of its own, without a socket.

import { afterEach, beforeEach, expect, test, vi } from 'vitest';
import { randomOf } from './test/random.js';
import { type Tokens, tokenKeeper } from './tokens.js';

const PAGES = 1_000;
const LIFE_S = 600;

beforeEach(() => {
  vi.useFakeTimers({ now: 1_800_000_000_000 });
  vi.spyOn(Math, 'random').mockImplementation(randomOf(7));
});
afterEach(() => {
  vi.restoreAllMocks();
  vi.useRealTimers();
});

const jwt = () => `e30.${btoa(JSON.stringify({ exp: Date.now() / 1_000 + LIFE_S }))}.sig`;

class Crowd {
  readonly pages: Tokens[] = [];
  private seconds = new Map<number, number>();

  /** All come in the same moment and get their first token at once. */
  static async gather(): Promise<Crowd> {
    const crowd = new Crowd();
    const fetchToken = async () => {
      const second = Math.floor(performance.now() / 1_000);
      crowd.seconds.set(second, (crowd.seconds.get(second) ?? 0) + 1);
      return jwt();
    };
    for (let n = 0; n < PAGES; n++) {
      const tokens = tokenKeeper(fetchToken, { asked() {}, fetched() {}, failed() {} });
      tokens.want();
      crowd.pages.push(tokens);
    }
    await vi.advanceTimersByTimeAsync(0);
    for (const tokens of crowd.pages) tokens.keepFresh(Date.now());
    expect(crowd.calls()).toEqual([PAGES]);
    return crowd;
  }

  /** Since the last look, by the second. */
  calls(): number[] {
    const calls = [...this.seconds.values()];
    this.seconds.clear();
    return calls;
  }
}

const sum = (numbers: number[]) => numbers.reduce((a, b) => a + b, 0);

test('pages that lose their edge come back with the tokens that they have', async () => {
  const crowd = await Crowd.gather();
  for (const tokens of crowd.pages) tokens.rest();
  await vi.advanceTimersByTimeAsync(LIFE_S * 900);
  for (const tokens of crowd.pages) expect(tokens.ready()).toBe(true);
  expect(crowd.calls()).toEqual([]);
});

test('pages whose tokens have ended, or are rejected, do not ask in the same second', async () => {
  const crowd = await Crowd.gather();
  for (const tokens of crowd.pages) {
    tokens.rest();
    tokens.discard();
    tokens.want();
  }
  await vi.advanceTimersByTimeAsync(4_000);
  const calls = crowd.calls();
  expect(sum(calls)).toBe(PAGES);
  expect(Math.max(...calls)).toBeLessThan(PAGES / 2);
});

test('pages that came in the same second do not refresh in the same second', async () => {
  const crowd = await Crowd.gather();
  await vi.advanceTimersByTimeAsync(LIFE_S * 950);
  const calls = crowd.calls();
  expect(sum(calls)).toBe(PAGES);
  expect(Math.max(...calls)).toBeLessThan(PAGES / 20);
});

test('pages whose site was away do not ask in the same second when it is back', async () => {
  const crowd = await Crowd.gather();
  let away = true;
  for (const tokens of crowd.pages) {
    tokens.use(async () => {
      if (away) throw new Error('site away');
      return jwt();
    });
    tokens.rest();
    tokens.discard();
    tokens.want();
  }
  await vi.advanceTimersByTimeAsync(60_000);
  away = false;
  const readyAt = async (ms: number) => {
    await vi.advanceTimersByTimeAsync(ms);
    return crowd.pages.filter((tokens) => tokens.ready()).length;
  };
  expect(await readyAt(1_000)).toBeLessThan(PAGES / 10);
  expect(await readyAt(60_000)).toBe(PAGES);
});
