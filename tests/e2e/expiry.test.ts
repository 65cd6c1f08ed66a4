// A hold that ends in front of the user: the countdown, the warnings at 60 s and 20 s, one key to
// keep the seats, and, where nobody presses it, the end, said and shown. The holds are given to the
// page's own shopper by seatctl, which can make them short.
import { afterAll, afterEach, beforeAll, expect, test } from 'vitest';
import { sessionOf } from './support/flows.js';
import { expectAccessible } from './support/looks.js';
import { until } from './support/program.js';
import { Scene, screenshot } from './support/scene.js';
import type { SeatPage } from './support/seat_page.js';

const SHOWTIME = '123';
let scene: Scene;

beforeAll(async () => {
  scene = await Scene.start();
});
afterEach(() => scene.expectClean());
afterAll(() => scene?.stop());

/** Seconds on the countdown; NaN where there is none. */
async function secondsLeft(tab: SeatPage): Promise<number> {
  const texts = await tab.countdown.allTextContents();
  const [minutes, seconds] = (texts[0] ?? '').split(':').map(Number);
  return Number(minutes) * 60 + Number(seconds);
}

async function hears(tab: SeatPage, words: RegExp): Promise<void> {
  const status = tab.page.getByRole('status');
  await until(`it is announced: ${words}`, async () => {
    return (await status.allTextContents()).some((text) => words.test(text));
  });
}

test('warned at 60 s', async () => {
  const person = await scene.person();
  const tab = await person.open(SHOWTIME);
  await scene.seatctl.lock(SHOWTIME, ['A01'], sessionOf(person), '61500ms');
  await tab.seatIs('A01', 'selected');
  await until('the countdown runs', async () => (await secondsLeft(tab)) <= 61);
  await hears(tab, /60 seconds/);
  expect(await secondsLeft(tab)).toBeLessThanOrEqual(60);
  await screenshot(tab.page, 'warned-at-60-s');
});

test('warned at 20 s, and kept for longer by one key', async () => {
  const person = await scene.person();
  const tab = await person.open(SHOWTIME);
  await scene.seatctl.lock(SHOWTIME, ['A02', 'A03'], sessionOf(person), '21500ms');
  await tab.seatIs('A03', 'selected');
  await hears(tab, /20 seconds/);
  await tab.seat('A02').focus();
  await tab.page.keyboard.press('e');
  await until('the countdown starts anew', async () => (await secondsLeft(tab)) > 60);
  await hears(tab, /kept longer/);
});

test('kept for longer by the button', async () => {
  const person = await scene.person();
  const tab = await person.open(SHOWTIME);
  await scene.seatctl.lock(SHOWTIME, ['A04'], sessionOf(person), '30s');
  await tab.seatIs('A04', 'selected');
  await tab.page.getByRole('button', { name: 'Keep for longer' }).click();
  await until('the countdown starts anew', async () => (await secondsLeft(tab)) > 60);
});

test('a hold that ends is said, shown, and free for others', async () => {
  const person = await scene.person();
  const tab = await person.open(SHOWTIME);
  const other = await (await scene.person()).open(SHOWTIME);
  await scene.seatctl.lock(SHOWTIME, ['A06'], sessionOf(person), '3s');
  await tab.seatIs('A06', 'selected');
  await other.seatIs('A06', 'locked');
  await until('the countdown runs', async () => (await secondsLeft(tab)) <= 3);
  await tab.seatIs('A06', 'available');
  await hears(tab, /Row A, seat 6/);
  expect(await tab.countdown.count()).toBe(0);
  expect(await tab.summary.textContent()).not.toContain('Row A, seat 6');
  await expectAccessible(tab.page, 'hold-expired');
  await other.select('A06');
  await tab.seatIs('A06', 'locked');
});
