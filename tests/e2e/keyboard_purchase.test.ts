// A purchase by keyboard alone, from the list of films to the confirmation: no pointer is moved.
// The grid is one tab stop.
import type { Page } from 'playwright-core';
import { afterAll, afterEach, beforeAll, expect, test } from 'vitest';
import { sessionOf } from './support/flows.js';
import { expectAccessible } from './support/looks.js';
import { Scene } from './support/scene.js';
import { SeatPage } from './support/seat_page.js';

const TABS_MAX = 60;
let scene: Scene;

beforeAll(async () => {
  scene = await Scene.start();
});
afterEach(() => scene.expectClean());
afterAll(() => scene?.stop());

/** What has the focus, as people know it: its name, or what stands in it. */
function focused(page: Page): Promise<string> {
  return page.evaluate(() => {
    const e = document.activeElement;
    const label = e instanceof HTMLInputElement ? e.labels?.[0]?.textContent : undefined;
    return label ?? e?.getAttribute('aria-label') ?? e?.textContent ?? '';
  });
}

/** Presses Tab until what has the focus is called this; returns what was passed on the way. */
async function tabTo(page: Page, name: RegExp): Promise<string[]> {
  const passed: string[] = [];
  for (let tabs = 0; tabs < TABS_MAX; tabs += 1) {
    await page.keyboard.press('Tab');
    const now = await focused(page);
    if (name.test(now)) return passed;
    passed.push(now);
  }
  throw new Error(`Tab never came to ${name}; it came to ${passed.join(' | ')}`);
}

test('from the films to the confirmation', async () => {
  const person = await scene.person();
  const page = await person.recorder.context.newPage();
  await page.goto('/');
  await tabTo(page, /^Friday 20:00, Little Hall/);
  await page.keyboard.press('Enter');
  await page.waitForURL('**/showtimes/123');
  const tab = new SeatPage(page);
  await tab.isNow('live');

  await tabTo(page, /^Row A, seat 1,/);
  await page.keyboard.press('ArrowDown');
  await page.keyboard.press('ArrowDown');
  await page.keyboard.press('End');
  expect(await focused(page)).toMatch(/^Row C, seat 12, .*available$/);
  await page.keyboard.press('Space');
  await tab.seatIs('C12', 'selected');
  await page.keyboard.press('ArrowLeft');
  await page.keyboard.press('Enter');
  await tab.seatIs('C11', 'selected');
  expect(await focused(page)).toMatch(/^Row C, seat 11, .*selected$/);
  await page.keyboard.press('Control+Home');
  expect(await focused(page)).toMatch(/^Row A, seat 1,/);

  const passed = await tabTo(page, /^Name on the tickets$/);
  expect(passed.filter((name) => /^Row /.test(name))).toEqual([]);
  await page.keyboard.type('Ada Example');
  await tabTo(page, /^Buy 2 seats for €24\.00$/);
  await page.keyboard.press('Enter');

  await page.waitForURL('**/orders/*');
  await page.getByRole('heading', { name: 'Your seats are booked' }).waitFor();
  expect(await focused(page)).toBe('Your seats are booked');
  expect(await page.getByRole('table').textContent()).toMatch(/Row C, seat 11.*Row C, seat 12/s);
  const order = page.url().split('/').pop();
  expect((await scene.seatctl.get('123')).seats).toEqual({
    C11: `booked under ${order}`,
    C12: `booked under ${order}`,
  });
  await expectAccessible(page, 'confirmation');

  await tabTo(page, /^Back to the seats$/);
  await page.keyboard.press('Enter');
  await tab.isNow('live');
  await tab.seatIs('C11', 'booked');
  expect(await tab.name('C11')).toMatch(/bought by you$/);
  await expectAccessible(page, 'seats-bought');
});

test('the browser’s own way back offers nothing that was bought already', async () => {
  const person = await scene.person();
  const tab = await person.open('123');
  await tab.select('D05');
  await tab.page.getByLabel('Name on the tickets').fill('Ada Example');
  await tab.page.getByRole('button', { name: /^Buy 1 seat/ }).click();
  await tab.page.getByRole('heading', { name: 'Your seats are booked' }).waitFor();
  await tab.page.goBack();
  await tab.isNow('live');
  await tab.seatIs('D05', 'booked');
  await tab.page.getByRole('button', { name: 'Buy', exact: true }).waitFor();
});

test('the order is its own shopper’s to see alone', async () => {
  const person = await scene.person();
  const tab = await person.open('123');
  await tab.select('D01');
  await tab.page.getByLabel('Name on the tickets').fill('Ada Example');
  await tab.page.getByRole('button', { name: /^Buy 1 seat/ }).click();
  await tab.page.getByRole('heading', { name: 'Your seats are booked' }).waitFor();
  const other = await scene.person();
  other.recorder.allow(/status of 404/);
  const page = await other.recorder.context.newPage();
  const answer = await page.goto(new URL(tab.page.url()).pathname);
  expect(answer?.status()).toBe(404);
  expect(await page.textContent('body')).not.toContain('Ada Example');
});

test('a seat that was lost before the purchase is named, and nothing is bought', async () => {
  const person = await scene.person();
  person.recorder.allow(/status of 409/);
  const tab = await person.open('123');
  await tab.select('E01');
  await tab.select('E02');
  // The box office frees one and sells it, in the moment that the shopper buys.
  await tab.page.route('**/api/orders*', async (route) => {
    await scene.seatctl.unlock('123', ['E02'], sessionOf(person));
    await scene.seatctl.book('123', ['E02'], 'box-office', 'o-box');
    await route.continue();
  });
  await tab.page.getByLabel('Name on the tickets').fill('Ada Example');
  await tab.page.getByRole('button', { name: /^Buy 2 seats/ }).click();
  await tab.alertSays('E02');
  await expectAccessible(tab.page, 'purchase-refused');
  expect(await tab.page.url()).toContain('/showtimes/123');
  const { seats } = await scene.seatctl.get('123');
  expect(seats.E01).toBe(`locked by ${sessionOf(person)}`);
  expect(seats.E02).toBe('booked under o-box');
});
