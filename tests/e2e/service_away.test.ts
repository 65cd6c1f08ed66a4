// seatlockd going away and coming back in front of shoppers: nobody is disconnected, the page says
// that what it shows may be old, refuses with a reason, and is current again by itself.
import { afterAll, afterEach, beforeAll, expect, test } from 'vitest';
import { expectAccessible } from './support/looks.js';
import { until } from './support/program.js';
import { Scene, screenshot } from './support/scene.js';

const SHOWTIME = '123';
const GIVES_UP_MS_MAX = 30_000;
let scene: Scene;

beforeAll(async () => {
  scene = await Scene.start();
});
afterEach(() => scene.expectClean());
afterAll(() => scene?.stop());

test('shown as stale while it is away, live again on its return, on the same socket', async () => {
  const { seatctl, stack } = scene;
  const person = await scene.person();
  // Calls are refused with 503 while the service is away.
  person.recorder.allow(/status of 503/);
  const tab = await person.open(SHOWTIME);
  await tab.select('A06');

  await stack.service.stop();
  await tab.isNow('stale');
  expect(await tab.connectionText()).toContain('Seat service away');
  expect(await tab.look('A06')).toBe('selected');

  await tab.click('A08');
  // The page tries again a few times, and then says that it could not.
  await tab.seatIs('A08', 'available', GIVES_UP_MS_MAX);
  await tab.alertSays('Row A, seat 8');
  await screenshot(tab.page, 'service-away');

  await stack.service.start();
  await tab.isNow('live');
  await seatctl.lock(SHOWTIME, ['A01'], 'eve');
  await tab.seatIs('A01', 'locked');
  await tab.seatIs('A06', 'selected');
  // What was refused left nothing behind.
  const { seats } = await seatctl.get(SHOWTIME);
  expect(Object.keys(seats).sort()).toEqual(['A01', 'A06']);
  expect(person.recorder.sockets).toHaveLength(1);
});

test('a page opened while it is away says so, and fills itself in on its return', async () => {
  const { stack } = scene;
  await scene.seatctl.lock(SHOWTIME, ['B05'], 'eve');
  await stack.service.stop();
  const person = await scene.person();
  person.recorder.allow(/status of 503/);
  const tab = await scene.openPage(person.recorder, SHOWTIME);
  await tab.page.getByRole('grid').waitFor();
  await until('it does not claim to be live', async () => {
    const status = await tab.connection.getAttribute('data-status');
    return status === 'connecting' || status === 'stale';
  });
  const notice = tab.page.getByText('The seat service is away for the moment.');
  await notice.waitFor();
  await expectAccessible(tab.page, 'opened-while-service-away');
  await stack.service.start();
  await tab.isNow('live');
  await tab.seatIs('B05', 'locked');
  await notice.waitFor({ state: 'hidden' });
});
