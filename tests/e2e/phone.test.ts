// A phone's width: the page never scrolls sideways, the hall does, within itself, by finger and by
// keys; seats are at least 24 px at every zoom.
import type { BrowserContextOptions } from 'playwright-core';
import { afterAll, afterEach, beforeAll, expect, test } from 'vitest';
import { expectAccessible } from './support/looks.js';
import { Scene, screenshot } from './support/scene.js';
import type { SeatPage } from './support/seat_page.js';

const WIDE_HALL = '124';
const SEATS = 320;
const SWIPES_MAX = 12;
const TARGET_PX_MIN = 24;
const ZOOMS_MAX = 20;
const PHONE: BrowserContextOptions = {
  viewport: { width: 360, height: 740 },
  deviceScaleFactor: 2,
  isMobile: true,
  hasTouch: true,
};
let scene: Scene;

beforeAll(async () => {
  scene = await Scene.start();
});
afterEach(() => scene.expectClean());
afterAll(() => scene?.stop());

async function openOnPhone(showtimeId: string): Promise<SeatPage> {
  return (await scene.person(PHONE)).open(showtimeId);
}

function sidewaysPx(tab: SeatPage): Promise<number> {
  return tab.page.evaluate(() => document.documentElement.scrollWidth - innerWidth);
}

/** The smallest width and height of what can be pressed. */
function smallestTarget(tab: SeatPage, selector: string): Promise<number> {
  return tab.page.evaluate((wanted) => {
    const boxes = [...document.querySelectorAll(wanted)].map((e) => e.getBoundingClientRect());
    return Math.min(...boxes.flatMap((box) => [box.width, box.height]));
  }, selector);
}

/** Presses a zoom button until it can zoom no more; `check` runs at each step. */
async function zoomToEnd(tab: SeatPage, name: string, check: () => Promise<void>): Promise<number> {
  const button = tab.page.getByRole('button', { name });
  for (let steps = 0; steps < ZOOMS_MAX; steps += 1) {
    await check();
    const disabled = await button.evaluate(
      (e) => e.matches(':disabled') || e.getAttribute('aria-disabled') === 'true',
    );
    if (disabled) return steps;
    await button.tap();
  }
  throw new Error(`${name} never ends`);
}

/** A finger put down at the right, drawn to the left, and taken away. */
async function swipeLeft({ page }: SeatPage, y: number): Promise<void> {
  const finger = await page.context().newCDPSession(page);
  const touch = (type: 'touchStart' | 'touchMove' | 'touchEnd', x?: number) =>
    finger.send('Input.dispatchTouchEvent', { type, touchPoints: x ? [{ x, y }] : [] });
  await touch('touchStart', 320);
  for (let x = 310; x >= 40; x -= 10) await touch('touchMove', x);
  await touch('touchEnd');
  await finger.detach();
}

test.each(['/', '/showtimes/123', '/showtimes/124', '/showtimes/301'])(
  '%s does not scroll sideways',
  async (path) => {
    const { recorder } = await scene.person(PHONE);
    const page = await recorder.context.newPage();
    await page.goto(path);
    await page.getByRole('heading').first().waitFor();
    const over = await page.evaluate(() => document.documentElement.scrollWidth - innerWidth);
    expect(over).toBeLessThanOrEqual(0);
    await screenshot(page, `phone-${path.split('/').pop() || 'films'}`);
  },
);

test('seats are at least 24 px at every zoom, and the page never scrolls sideways', async () => {
  const tab = await openOnPhone(WIDE_HALL);
  const widths = new Set<number>();
  const check = async () => {
    expect(await smallestTarget(tab, '[data-seat-id]')).toBeGreaterThanOrEqual(TARGET_PX_MIN);
    expect(await sidewaysPx(tab)).toBeLessThanOrEqual(0);
    widths.add(Math.round((await tab.seat('A01').boundingBox())?.width ?? 0));
  };
  await zoomToEnd(tab, 'Zoom out', check);
  await screenshot(tab.page, 'phone-zoomed-out');
  const steps = await zoomToEnd(tab, 'Zoom in', check);
  await screenshot(tab.page, 'phone-zoomed-in');
  expect(steps).toBeGreaterThan(0);
  expect(widths.size).toBeGreaterThan(1);
});

test('buttons and links are targets of at least 24 px', async () => {
  const tab = await openOnPhone('123');
  await tab.select('A01');
  const smallest = await smallestTarget(tab, 'button, input, a[href]:not(p a):not(.skip)');
  expect(smallest).toBeGreaterThanOrEqual(TARGET_PX_MIN);
});

test('a finger pans the hall, and taps a seat that was out of sight', async () => {
  const tab = await openOnPhone(WIDE_HALL);
  const last = tab.seat('A40');
  const inSight = () =>
    last.evaluate((e) => {
      const { left, right } = e.getBoundingClientRect();
      return left >= 0 && right <= innerWidth;
    });
  expect(await inSight()).toBe(false);
  await tab.seat('D05').scrollIntoViewIfNeeded();
  const y = (await tab.seat('D05').boundingBox())?.y ?? 300;
  for (let swipes = 0; swipes < SWIPES_MAX && !(await inSight()); swipes += 1) {
    await swipeLeft(tab, y + 10);
  }
  expect(await inSight()).toBe(true);
  // Drawing is not tapping.
  expect(await tab.page.locator('[data-seat-id][data-state="available"]').count()).toBe(SEATS);
  expect(await sidewaysPx(tab)).toBeLessThanOrEqual(0);
  await last.tap();
  await tab.seatIs('A40', 'selected');
  await screenshot(tab.page, 'phone-panned', false);
});

test('a refusal is in sight where the hall is longer than the screen', async () => {
  await scene.seatctl.lock('301', ['A03'], 'eve');
  const tab = await openOnPhone('301');
  await tab.seat('A03').tap({ force: true });
  await tab.alertSays('Row A, seat 3', 'taken');
  const box = await tab.page.locator('.sl-alert').boundingBox();
  expect(box?.y).toBeGreaterThan(0);
  expect((box?.y ?? 0) + (box?.height ?? 0)).toBeLessThanOrEqual(740);
  await screenshot(tab.page, 'phone-refused', false);
});

test('keys bring the seat that they reach into sight', async () => {
  const tab = await openOnPhone(WIDE_HALL);
  await tab.seat('A01').focus();
  await tab.page.keyboard.press('End');
  const visible = await tab.seat('A40').evaluate((e) => {
    const { left, right } = e.getBoundingClientRect();
    return e === document.activeElement && left >= 0 && right <= innerWidth;
  });
  expect(visible).toBe(true);
});

test('axe finds nothing on a phone', async () => {
  const tab = await openOnPhone(WIDE_HALL);
  await tab.select('A05');
  await expectAccessible(tab.page, 'phone-seats');
});
