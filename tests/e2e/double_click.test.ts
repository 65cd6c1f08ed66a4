// Taps faster than answers: whatever the page showed in between, it ends with what was tapped last,
// and the service holds the same. No ghost stays behind.
import type { Page } from 'playwright-core';
import { afterAll, afterEach, beforeAll, expect, test } from 'vitest';
import { sessionOf } from './support/flows.js';
import { until } from './support/program.js';
import { Scene } from './support/scene.js';
import type { SeatPage } from './support/seat_page.js';

const SHOWTIME = '123';
const ANSWER_MS = [0, 30, 120, 250];
let scene: Scene;

beforeAll(async () => {
  scene = await Scene.start();
});
afterEach(() => scene.expectClean());
afterAll(() => scene?.stop());

/** Each call's answer comes late, one later than another. */
async function delayAnswers(page: Page): Promise<void> {
  let calls = 0;
  await page.route('**/api/seat-locks*', async (route) => {
    const answer = await route.fetch();
    await new Promise((resolve) => setTimeout(resolve, ANSWER_MS[calls++ % ANSWER_MS.length]));
    await route.fulfill({ response: answer });
  });
}

async function settles(tab: SeatPage, seatId: string, look: 'available' | 'selected') {
  await tab.seatIs(seatId, look);
  const { page } = tab;
  await until('no call is under way', async () => {
    return (await page.locator('[data-state="selecting"], [data-state="releasing"]').count()) === 0;
  });
}

test('a double click leaves the seat available, and nothing held', async () => {
  const person = await scene.person();
  const tab = await person.open(SHOWTIME);
  for (const seatId of ['A01', 'A02', 'A03', 'A04', 'A05']) {
    await tab.seat(seatId).dblclick();
    await settles(tab, seatId, 'available');
  }
  await until('nothing is held', async () => {
    return Object.keys((await scene.seatctl.get(SHOWTIME)).seats).length === 0;
  });
  // Each was really taken, and given back.
  expect((await scene.seatctl.get(SHOWTIME)).revision).toBe(10);
});

test('taps of any number end as the last one wanted, however late answers come', async () => {
  const person = await scene.person();
  const tab = await person.open(SHOWTIME);
  await delayAnswers(tab.page);
  const taps: Record<string, number> = { B01: 2, B02: 3, B03: 4, B04: 5, B05: 6 };
  for (const [seatId, count] of Object.entries(taps)) {
    await tab.seat(seatId).click({ clickCount: count, force: true });
  }
  for (const [seatId, count] of Object.entries(taps)) {
    await settles(tab, seatId, count % 2 === 1 ? 'selected' : 'available');
  }
  const mine = `locked by ${sessionOf(person)}`;
  await until('the service holds what was tapped', async () => {
    const { seats } = await scene.seatctl.get(SHOWTIME);
    return JSON.stringify(seats) === JSON.stringify({ B02: mine, B04: mine });
  });
  // What the page says after a refresh is what it said before.
  await tab.page.unrouteAll({ behavior: 'wait' });
  await tab.page.reload();
  await tab.seatIs('B02', 'selected');
  await tab.seatIs('B03', 'available');
});

test('calls for one seat never overlap', async () => {
  const person = await scene.person();
  const tab = await person.open(SHOWTIME);
  let underWay = 0;
  let most = 0;
  await tab.page.route('**/api/seat-locks*', async (route) => {
    most = Math.max(most, ++underWay);
    const answer = await route.fetch();
    underWay -= 1;
    await route.fulfill({ response: answer });
  });
  await tab.seat('C01').click({ clickCount: 7, force: true });
  await settles(tab, 'C01', 'selected');
  await until('every call is answered', () => most > 0 && underWay === 0);
  expect(most).toBe(1);
});
