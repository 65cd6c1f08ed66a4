// The fake server of @seatlock/client/testing and the real edge have the same conversations, and
// both say what the tables of support/scripts.ts say, frame for frame.
import { FakeSeatServer } from '@seatlock/client/testing';
import type { Browser } from 'playwright-core';
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, test } from 'vitest';
import { launchBrowser } from './support/browser.js';
import { holdTo } from './support/script.js';
import { refusal, scripts } from './support/scripts.js';
import { Stack } from './support/stack.js';
import { fakeWorld, realWorld, type World } from './support/worlds.js';

let showtimes = 0;
const newShowtime = () => `script${++showtimes}`;

let browser: Browser;
beforeAll(async () => {
  browser = await launchBrowser();
});
afterAll(() => browser?.close());

describe('the real edge', () => {
  let stack: Stack;
  let world: World;

  beforeAll(async () => {
    stack = await Stack.start();
    world = realWorld(await browser.newPage(), stack);
  });
  afterAll(() => stack?.stop());

  test.each(scripts)('$name', (script) => holdTo(script, world, newShowtime()));
});

describe('the real edge with room for one new showtime', () => {
  let stack: Stack;
  let world: World;

  beforeAll(async () => {
    stack = await Stack.start({ edgeFlags: ['--max-new-showtimes-per-address=1'] });
    world = realWorld(await browser.newPage(), stack);
  });
  afterAll(() => stack?.stop());

  test(refusal.name, () => holdTo(refusal, world, newShowtime()));
});

describe('the fake server', () => {
  let server: FakeSeatServer;
  let uninstall: () => void;

  beforeEach(() => {
    server = new FakeSeatServer();
    uninstall = server.install();
  });
  afterEach(() => uninstall());

  test.each(scripts)('$name', (script) => holdTo(script, fakeWorld(server), newShowtime()));

  test(refusal.name, async () => {
    const showtime = newShowtime();
    server.refuse(`${showtime}-2`, { code: 'RATE_LIMITED', retryAfterMs: 500 });
    await holdTo(refusal, fakeWorld(server), showtime);
  });

  test('control: one that forgets a field is found out', async () => {
    const world = fakeWorld(server);
    const forgetful: World = {
      ...world,
      open: async (protocol) => {
        const line = await world.open(protocol);
        const cut = (text: string) => text.replace(',"more":true', '');
        return { ...line, heard: async () => (await line.heard()).map(cut) };
      },
    };
    const changes = scripts[0];
    if (!changes) throw new Error('there are no scripts');
    await expect(holdTo(changes, forgetful, newShowtime())).rejects.toThrow('to deeply equal');
  });
});
