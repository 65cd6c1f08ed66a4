// A refresh keeps the seats: they are in the page as the server sends it, and no seat ever looks
// otherwise while the page comes alive.
import type { Page } from 'playwright-core';
import { afterAll, afterEach, beforeAll, expect, test } from 'vitest';
import { until } from './support/program.js';
import { Scene } from './support/scene.js';

const SHOWTIME = '123';
let scene: Scene;

beforeAll(async () => {
  scene = await Scene.start();
});
afterEach(() => scene.expectClean());
afterAll(() => scene?.stop());

/** Runs in the page before its scripts: every look that each seat ever had. */
function installLookLog(): void {
  const looks = new Map<string, Set<string>>();
  Object.assign(globalThis, { looks });
  const note = () => {
    for (const seat of document.querySelectorAll('[data-seat-id]')) {
      const seatId = seat.getAttribute('data-seat-id') ?? '';
      const seen = looks.get(seatId) ?? new Set();
      looks.set(seatId, seen.add(seat.getAttribute('data-state') ?? ''));
    }
  };
  const watched = { childList: true, attributeFilter: ['data-state'], subtree: true };
  new MutationObserver(note).observe(document, watched);
}

function looksOf(page: Page, seatId: string): Promise<string[]> {
  return page.evaluate((id) => {
    const { looks } = globalThis as unknown as { looks: Map<string, Set<string>> };
    return [...(looks.get(id) ?? [])];
  }, seatId);
}

test('own and taken seats are there at once after a refresh, without a flicker', async () => {
  const { seatctl } = scene;
  const person = await scene.person();
  await person.recorder.context.addInitScript(installLookLog);
  const tab = await person.open(SHOWTIME);
  await tab.select('A06');
  await tab.select('C03');
  await seatctl.lock(SHOWTIME, ['B01'], 'eve');
  await seatctl.lock(SHOWTIME, ['B02'], 'eve');
  await seatctl.book(SHOWTIME, ['B02'], 'eve', 'o-eve');
  const before = await seatctl.get(SHOWTIME);

  await tab.page.reload();
  await tab.isNow('live');
  await tab.page.getByText('Row C, seat 3').first().waitFor();
  const kept = { A06: 'selected', C03: 'selected', B01: 'locked', B02: 'booked', A07: 'available' };
  for (const [seatId, look] of Object.entries(kept)) {
    expect(await looksOf(tab.page, seatId), seatId).toEqual([look]);
  }
  expect(await seatctl.get(SHOWTIME)).toEqual(before);
});

test('control: a page that differs from what the server sent is found', async () => {
  const person = await scene.person();
  const { recorder } = person;
  const page = await recorder.context.newPage();
  await page.route(`**/showtimes/${SHOWTIME}`, async (route) => {
    const answer = await route.fetch();
    const body = (await answer.text()).replace(/(data-seat-id="A06".*?>)6</, '$1sixth<');
    await route.fulfill({ response: answer, body });
  });
  await page.goto(`/showtimes/${SHOWTIME}`);
  const found = () => recorder.breaches().some((breach) => /React error #418/.test(breach));
  await until('React says that the page differs', found);
  // An answer that was altered on its way has no address, so its page may not reach this machine.
  recorder.allow(/React error #418/, /WebSocket connection to/);
});

test('the page has the seats without any script', async () => {
  const { seatctl } = scene;
  const person = await scene.person();
  const tab = await person.open(SHOWTIME);
  await tab.select('D01');
  await seatctl.lock(SHOWTIME, ['D02'], 'eve');
  const html = await (await tab.page.request.get(`/showtimes/${SHOWTIME}`)).text();
  const lookIn = (seatId: string) =>
    html.match(/<div[^>]*role="gridcell"[^>]*>/g)?.find((tag) => tag.includes(`"${seatId}"`));
  expect(lookIn('D01')).toContain('data-state="selected"');
  expect(lookIn('D02')).toContain('data-state="locked"');
  expect(lookIn('D03')).toContain('data-state="available"');
});

test('a tab that was closed leaves its seats to the next one of the same browser', async () => {
  const person = await scene.person();
  const tab = await person.open(SHOWTIME);
  await tab.select('E05');
  await tab.page.close();
  const next = await person.open(SHOWTIME);
  expect(await next.look('E05')).toBe('selected');
});

test('another browser is another shopper', async () => {
  const ann = await (await scene.person()).open(SHOWTIME);
  await ann.select('E07');
  const bob = await (await scene.person()).open(SHOWTIME);
  expect(await bob.look('E07')).toBe('locked');
});
