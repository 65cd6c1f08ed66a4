// axe finds no violation in any state of the site, light, dark, and in forced colours. A picture of
// each is kept in build/e2e-screenshots.
import { afterAll, afterEach, beforeAll, expect, test } from 'vitest';
import { sessionOf } from './support/flows.js';
import { axeViolations, expectAccessible } from './support/looks.js';
import { Scene } from './support/scene.js';

const SHOWTIME = '123';
let scene: Scene;

beforeAll(async () => {
  scene = await Scene.start();
});
afterEach(() => scene.expectClean());
afterAll(() => scene?.stop());

/** Runs in the page before its scripts: lets a test end the page's socket as an edge would. */
function keepSocket(): void {
  const Original = globalThis.WebSocket;
  globalThis.WebSocket = class extends Original {
    constructor(url: string | URL, protocols?: string | string[]) {
      super(url, protocols ?? []);
      Object.assign(globalThis, { kept: this });
    }
  };
}

test('the list of films', async () => {
  const { recorder } = await scene.person();
  const page = await recorder.context.newPage();
  await page.goto('/');
  await expectAccessible(page, 'films');
});

test('nothing chosen, seats chosen, seats of others, a refusal', async () => {
  const { seatctl } = scene;
  const person = await scene.person();
  const tab = await person.open(SHOWTIME);
  await expectAccessible(tab.page, 'seats-empty');
  await tab.select('A06');
  await tab.select('C07');
  await expectAccessible(tab.page, 'seats-selected');
  await seatctl.lock(SHOWTIME, ['A01', 'A02', 'B09'], 'eve');
  await seatctl.lock(SHOWTIME, ['C01', 'C02', 'D12'], 'eve');
  await seatctl.book(SHOWTIME, ['C01', 'C02', 'D12'], 'eve', 'o-eve');
  await tab.seatIs('D12', 'booked');
  await expectAccessible(tab.page, 'seats-taken');
  await tab.click('A01');
  await tab.alertSays('Row A, seat 1', 'taken');
  await expectAccessible(tab.page, 'seats-refused');
});

test('the list instead of the map', async () => {
  const person = await scene.person();
  const tab = await person.open(SHOWTIME);
  await tab.select('E06');
  await tab.page.getByRole('button', { name: 'List' }).click();
  await tab.page.getByRole('checkbox', { name: /^Row E, seat 6/ }).waitFor();
  await expectAccessible(tab.page, 'seats-list');
});

test('a hold about to end', async () => {
  const person = await scene.person();
  const tab = await person.open(SHOWTIME);
  await scene.seatctl.lock(SHOWTIME, ['E01'], sessionOf(person), '45s');
  await tab.seatIs('E01', 'selected');
  await expectAccessible(tab.page, 'hold-ending');
});

test('a keyboard user sees where they are', async () => {
  const person = await scene.person();
  const tab = await person.open(SHOWTIME);
  await tab.seat('A01').focus();
  await tab.page.keyboard.press('ArrowDown');
  await tab.page.keyboard.press('ArrowRight');
  expect(await tab.seat('B02').evaluate((e) => e === document.activeElement)).toBe(true);
  await expectAccessible(tab.page, 'seats-focus');
});

test('a wide hall and one of 2,000 seats', async () => {
  const person = await scene.person();
  const wide = await person.open('124');
  await expectAccessible(wide.page, 'hall-wide', ['light', 'forced']);
  const grand = await person.open('301');
  await expectAccessible(grand.page, 'hall-grand', ['light']);
});

test('the connection away: reconnecting, and stale', async () => {
  const { stack } = scene;
  const person = await scene.person();
  // The service may go while the page asks what it holds: that is answered with 503.
  person.recorder.allow(/WebSocket connection to/, /ERR_CONNECTION_REFUSED/, /status of 503/);
  const tab = await person.open(SHOWTIME);
  await stack.service.stop();
  await tab.isNow('stale');
  await expectAccessible(tab.page, 'stale');
  await stack.edge.stop();
  await tab.isNow('reconnecting');
  await expectAccessible(tab.page, 'reconnecting');
  await stack.service.start();
  await stack.edge.start();
  await tab.isNow('live');
});

test('told not to come back', async () => {
  const person = await scene.person();
  await person.recorder.context.addInitScript(keepSocket);
  const tab = await person.open(SHOWTIME);
  await tab.page.evaluate(() => {
    const { kept } = globalThis as unknown as { kept: WebSocket };
    kept.dispatchEvent(new CloseEvent('close', { code: 4000 }));
  });
  await tab.isNow('closed');
  expect(await tab.connectionText()).toContain('Disconnected');
  await expectAccessible(tab.page, 'disconnected');
});

test('a page that is not there', async () => {
  const { recorder } = await scene.person();
  recorder.allow(/status of 404/);
  const page = await recorder.context.newPage();
  await page.goto('/showtimes/no-such-showtime');
  await expectAccessible(page, 'not-found');
});

test('control: axe finds a seat without a name, and text too pale to read', async () => {
  const person = await scene.person();
  const tab = await person.open(SHOWTIME);
  await tab.page.evaluate(() => {
    document.querySelector('[data-seat-id="B05"]')?.setAttribute('role', 'img');
    document.querySelector('[data-seat-id="B05"]')?.removeAttribute('aria-label');
    const pale = document.querySelector('h1') ?? document.body;
    pale.setAttribute('style', 'color: #eee; background: #fff');
  });
  const found = (await axeViolations(tab.page)).map((line) => line.split(':')[0]);
  expect(found).toEqual(expect.arrayContaining(['color-contrast', 'role-img-alt']));
});
