// The manual flows that people know (one user, two shoppers, a connection that is lost), as tests.
// They run against the programs directly and through nginx.
import { afterAll, afterEach, beforeAll, expect, test } from 'vitest';
import type { Person } from './scene.js';
import { Scene, type SceneOptions, screenshot } from './scene.js';
import type { SeatPage } from './seat_page.js';

const SHOWTIME = '123';
// What chromium's console says while nothing listens, or of a call that was refused: expected.
const CONNECTION_LOST = [/WebSocket connection to/, /ERR_CONNECTION_REFUSED/];
const REFUSED_CALL = /status of 409/;

/** The shopper that a page subscribed as last. */
export function sessionOf(person: Person): string {
  const subscribes = person.recorder.sockets.flatMap((log) => log.sent('subscribe'));
  return String(subscribes.at(-1)?.sessionId);
}

/** The dot beside the connection's text is green while it is live. */
async function isGreen(seats: SeatPage): Promise<boolean> {
  const dot = seats.connection.locator('.sl-dot');
  const color = await dot.evaluate((e) => getComputedStyle(e).backgroundColor);
  const [red = 0, green = 0, blue = 0] = (color.match(/[\d.]+/g) ?? []).map(Number);
  return green > 1.3 * red && green > 1.3 * blue;
}

/** Red is what a seat of another shopper is painted in, more than green and blue. */
async function isRed(seats: SeatPage, seatId: string): Promise<boolean> {
  const color = await seats.seat(seatId).evaluate((e) => {
    const { backgroundColor, borderTopColor } = getComputedStyle(e);
    return [backgroundColor, borderTopColor];
  });
  return color.some((text) => {
    const [red = 0, green = 0, blue = 0] = (text.match(/[\d.]+/g) ?? []).map(Number);
    return red > 1.3 * green && red > 1.3 * blue;
  });
}

export function defineOriginFlows(name: string, options: SceneOptions): void {
  let scene: Scene;

  beforeAll(async () => {
    scene = await Scene.start(options);
  });
  afterEach(() => scene.expectClean());
  afterAll(() => scene?.stop());

  test('one user: selecting locks at once, deselecting unlocks at once', async () => {
    const person = await scene.person();
    const tab = await person.open(SHOWTIME);
    expect(await tab.connectionText()).toContain('Connected');
    expect(await isGreen(tab)).toBe(true);
    await tab.select('A06');
    expect((await scene.seatctl.get(SHOWTIME)).seats).toEqual({
      A06: `locked by ${sessionOf(person)}`,
    });
    expect(await tab.name('A06')).toMatch(/^Row A, seat 6, .*selected$/);
    await screenshot(tab.page, `${name}-one-user-selected`);
    await tab.click('A06');
    await tab.seatIs('A06', 'available');
    expect((await scene.seatctl.get(SHOWTIME)).seats).toEqual({});
  });

  test('two shoppers in two tabs of one browser and one seat', async () => {
    const person = await scene.person();
    person.recorder.allow(REFUSED_CALL);
    const ann = await person.open(SHOWTIME, 'ann');
    const bob = await person.open(SHOWTIME, 'bob');
    await ann.select('A06');
    await bob.seatIs('A06', 'locked');
    expect(await isRed(bob, 'A06')).toBe(true);
    const truth = await scene.seatctl.get(SHOWTIME);

    const place = await bob.seat('A06').boundingBox();
    await bob.click('A06');
    await bob.alertSays('Row A, seat 6', 'taken');
    // What is said must not move a seat under the pointer.
    expect(await bob.seat('A06').boundingBox()).toEqual(place);
    await screenshot(bob.page, `${name}-two-shoppers-refused`);
    expect(await bob.look('A06')).toBe('locked');
    expect(await scene.seatctl.get(SHOWTIME)).toEqual(truth);

    await ann.click('A06');
    await bob.seatIs('A06', 'available');
    await bob.select('A06');
    await ann.seatIs('A06', 'locked');
    await bob.click('A06');
    await ann.seatIs('A06', 'available');
  });

  test("one shopper's second tab shows the same seats as their own", async () => {
    const person = await scene.person();
    const [first, second] = [await person.open(SHOWTIME), await person.open(SHOWTIME)];
    await first.select('A06');
    await second.seatIs('A06', 'selected');
    await second.click('A06');
    await first.seatIs('A06', 'available');
  });

  test('refused at the service: whoever comes second is told, and nothing stays', async () => {
    const person = await scene.person();
    person.recorder.allow(REFUSED_CALL);
    const tab = await person.open(SHOWTIME);
    // The page is kept from hearing of it in time: its call is held until another has the seat.
    await tab.page.route('**/api/seat-locks*', async (route) => {
      if (route.request().method() === 'POST') await scene.seatctl.lock(SHOWTIME, ['A07'], 'eve');
      await route.continue();
    });
    await tab.click('A07');
    await tab.alertSays('Row A, seat 7', 'taken');
    await tab.seatIs('A07', 'locked');
    await scene.seatctl.unlock(SHOWTIME, ['A07'], 'eve');
    await tab.seatIs('A07', 'available');
    expect((await scene.seatctl.get(SHOWTIME)).seats).toEqual({});
  });

  test('the edge stopped and restarted: shown, come back from, and no change missed', async () => {
    const { seatctl, stack } = scene;
    const person = await scene.person();
    person.recorder.allow(...CONNECTION_LOST, /status of 50[234]|Unexpected response code/);
    await seatctl.lock(SHOWTIME, ['B01', 'B02'], 'eve');
    const tab = await person.open(SHOWTIME);
    await tab.select('A06');
    const before = await seatctl.get(SHOWTIME);

    await stack.edge.stop();
    await tab.isNow('reconnecting');
    expect(await tab.connectionText()).toContain('Connection error');
    expect(await isGreen(tab)).toBe(false);
    await screenshot(tab.page, `${name}-edge-stopped`);
    await seatctl.book(SHOWTIME, ['B01'], 'eve', 'o-eve');
    await seatctl.unlock(SHOWTIME, ['B02'], 'eve');
    await seatctl.lock(SHOWTIME, ['B03', 'B04'], 'eve');

    await stack.edge.start();
    await tab.isNow('live', 45_000);
    await tab.seatIs('B01', 'booked');
    await tab.seatIs('B02', 'available');
    await tab.seatIs('B03', 'locked');
    await tab.seatIs('B04', 'locked');
    await tab.seatIs('A06', 'selected');
    await expectNothingMissed(person, before.revision, seatctl);
    await seatctl.unlock(SHOWTIME, ['B03', 'B04'], 'eve');
    await tab.click('A06');
    await seatctl.seatIs(SHOWTIME, 'A06', undefined);
  });
}

// The new connection resumed where the old one was, and each revision since came, once.
async function expectNothingMissed(
  person: Person,
  before: number,
  seatctl: Scene['seatctl'],
): Promise<void> {
  const { revision } = await seatctl.get(SHOWTIME);
  const log = person.recorder.sockets.at(-1);
  expect(log?.sent('subscribe')[0]?.resume).toMatchObject({ revision: before });
  expect(log?.received('subscribed')[0]).toMatchObject({ recovered: true });
  const came = new Set(log?.received('seat_status_change').map((f) => f.revision));
  const missed = Array.from({ length: revision - before }, (_, i) => before + 1 + i);
  expect([...came]).toEqual(missed);
}
