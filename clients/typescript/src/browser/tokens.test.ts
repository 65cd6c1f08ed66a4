// When 1,000 pages fetch their tokens. Each has a keeper of its own, without a socket. Only the
// times are looked at that their timers get: moving a clock over thousands of timers takes long.

import { afterEach, beforeEach, expect, test, vi } from 'vitest';
import { randomOf } from './test/random.js';
import { type Tokens, tokenKeeper } from './tokens.js';

const PAGES = 1_000;
const LIFE_S = 600;
const NOW = 1_800_000_000_000;

let timers: number[] = [];
beforeEach(() => {
  vi.spyOn(Math, 'random').mockImplementation(randomOf(7));
  vi.spyOn(Date, 'now').mockReturnValue(NOW);
  vi.stubGlobal('setTimeout', (_: () => void, ms: number) => timers.push(ms));
});
afterEach(() => {
  vi.unstubAllGlobals();
  vi.restoreAllMocks();
});

const jwt = async () => `e30.${btoa(JSON.stringify({ exp: NOW / 1_000 + LIFE_S }))}.sig`;
const quiet = { asked() {}, fetched() {}, failed() {} };

/** Pages that asked for their first token, and got it, or not. */
async function crowd(fetchToken: () => Promise<string>): Promise<Tokens[]> {
  const pages = Array.from({ length: PAGES }, () => tokenKeeper(fetchToken, quiet));
  for (const tokens of pages) tokens.want();
  await new Promise((done) => setImmediate(done));
  return pages;
}

/** How many of the timers that `happens` sets end in the same second, at most. */
function mostASecond(happens: () => void): number {
  timers = [];
  happens();
  expect(timers).toHaveLength(PAGES);
  const seconds: number[] = [];
  for (const ms of timers) {
    const second = Math.floor(ms / 1_000);
    seconds[second] = (seconds[second] ?? 0) + 1;
  }
  return Math.max(...Object.values(seconds));
}

test('pages that lose their edge come back with the tokens that they have', async () => {
  const pages = await crowd(jwt);
  timers = [];
  for (const tokens of pages) {
    tokens.rest();
    expect(tokens.ready()).toBe(true);
  }
  expect(timers).toEqual([]);
});

test('pages whose tokens have ended, or are rejected, do not ask in the same second', async () => {
  const pages = await crowd(jwt);
  const most = mostASecond(() => {
    for (const tokens of pages) {
      tokens.discard();
      tokens.want();
    }
  });
  expect(most).toBeLessThan(PAGES / 2);
});

test('pages that came in the same second do not refresh in the same second', async () => {
  const pages = await crowd(jwt);
  const most = mostASecond(() => {
    for (const tokens of pages) tokens.keepFresh(NOW);
  });
  expect(most).toBeLessThan(PAGES / 20);
  for (const ms of timers) {
    expect(ms).toBeGreaterThanOrEqual(LIFE_S * 700 - 1_000);
    expect(ms).toBeLessThanOrEqual(LIFE_S * 900);
  }
});

test('pages whose site is away do not ask again in the same second', async () => {
  timers = [];
  await crowd(async () => {
    throw new Error('site away');
  });
  const pauses = timers.slice(PAGES);
  expect(pauses).toHaveLength(PAGES);
  expect(Math.min(...pauses)).toBeGreaterThanOrEqual(1_000);
  expect(Math.max(...pauses)).toBeLessThanOrEqual(2_000);
  const tenths = new Set(pauses.map((ms) => Math.floor(ms / 100)));
  expect(tenths.size).toBeGreaterThanOrEqual(10);
});
