// Two browsers at two servers on one Redis and two edges, through one nginx, while a server and an
// edge are killed: both keep showing the same seats, and nothing is missed.
import type { Browser } from 'playwright-core';
import { afterAll, afterEach, beforeAll, expect, test } from 'vitest';
import { launchBrowser, newRecorder, type Recorder } from './support/browser.js';
import { Cluster } from './support/cluster.js';
import { until } from './support/program.js';
import { screenshot } from './support/scene.js';
import { SeatPage } from './support/seat_page.js';

const SHOWTIME = '123';
// What a page shows between the loss of a connection and its return. Seen: 0.4 s.
const AWAY_MS_MAX = 10_000;

let cluster: Cluster;
let browser: Browser;
let recorders: Recorder[] = [];

beforeAll(async () => {
  cluster = await Cluster.start();
  browser = await launchBrowser();
});
afterEach(async () => {
  const breaches = recorders.flatMap((recorder) => recorder.breaches());
  for (const { context } of recorders) await context.close();
  recorders = [];
  expect(breaches).toEqual([]);
});
afterAll(async () => {
  await browser?.close();
  await cluster?.stop();
});

interface Times {
  awayMs: number;
}

/** Runs in the page: adds up for how long it was once live and then not. */
function installTimes(): void {
  const times = { awayMs: 0 };
  Object.assign(globalThis, { times });
  let since: number | undefined;
  let wasLive = false;
  const look = () => {
    const shown = document.querySelector('[data-testid="seatlock-connection"]');
    const live = shown?.getAttribute('data-status') === 'live';
    wasLive ||= live;
    if (!wasLive) return;
    const now = performance.now();
    if (since !== undefined) times.awayMs += now - since;
    since = live ? undefined : now;
  };
  setInterval(look, 10);
}

async function visitor(as: string): Promise<SeatPage> {
  const recorder = await newRecorder(browser, { baseURL: cluster.url });
  recorder.allow(/WebSocket connection to/, /status of 50[234]/);
  recorders.push(recorder);
  await recorder.context.addInitScript(installTimes);
  const page = await recorder.context.newPage();
  await page.goto(`/showtimes/${SHOWTIME}?as=${as}`);
  const seats = new SeatPage(page);
  await seats.isNow('live');
  return seats;
}

async function awayMs(pages: SeatPage[]): Promise<number> {
  const read = () => (globalThis as unknown as { times: Times }).times.awayMs;
  return Math.max(...(await Promise.all(pages.map(({ page }) => page.evaluate(read)))));
}

/** Locks seats one after the other while something is done, and gives back what was locked. */
async function lockMeanwhile(seats: string[], act: () => Promise<void>): Promise<void> {
  const [first = '', ...others] = seats;
  await cluster.seatctl.lock(SHOWTIME, [first], 'eve');
  const acted = act();
  for (const seat of others) await cluster.seatctl.lock(SHOWTIME, [seat], 'eve');
  await acted;
}

/** Every seat's look on a page, as one text. */
function looks({ page }: SeatPage): Promise<string> {
  return page
    .locator('[data-seat-id]')
    .evaluateAll((seats) =>
      seats
        .map((seat) => `${seat.getAttribute('data-seat-id')} ${seat.getAttribute('data-state')}`)
        .join('\n'),
    );
}

/** Both show the same, and it is what the servers say. */
async function expectSame(pages: [SeatPage, SeatPage]): Promise<void> {
  const { seats } = await cluster.seatctl.get(SHOWTIME);
  for (const seatId of Object.keys(seats)) {
    for (const page of pages) await page.seatIs(seatId, 'locked');
  }
  const [first, second] = await Promise.all(pages.map(looks));
  expect(first).toBe(second);
  expect(first?.match(/ locked$/gm)).toHaveLength(Object.keys(seats).length);
}

test('kill -9 of one server of two: both pages go on, and miss nothing', async () => {
  const pages: [SeatPage, SeatPage] = [await visitor('alice'), await visitor('bob')];
  for (const [i, server] of cluster.servers.entries()) {
    const row = 'AB'[i];
    await lockMeanwhile([`${row}01`, `${row}02`, `${row}03`, `${row}04`], () => server.kill());
    await expectSame(pages);
    // It is whole again before the other one goes: one failure at a time.
    await server.start();
    await pages[i]?.select(`${row}12`);
    await pages[1 - i]?.seatIs(`${row}12`, 'locked');
    await pages[i]?.click(`${row}12`);
    await pages[1 - i]?.seatIs(`${row}12`, 'available');
  }
  expect(await awayMs(pages)).toBeLessThan(AWAY_MS_MAX);
  // The edges moved their streams: no browser lost its connection.
  for (const { sockets } of recorders) expect(sockets).toHaveLength(1);
});

test('kill -9 of one edge of two: its pages go on where they were at the other', async () => {
  const pages: [SeatPage, SeatPage] = [await visitor('alice'), await visitor('bob')];
  for (const [i, edge] of cluster.edges.entries()) {
    const row = 'CD'[i];
    await lockMeanwhile([`${row}01`, `${row}02`, `${row}03`], () => edge.kill());
    await expectSame(pages);
    await edge.start();
  }
  await screenshot(pages[0].page, 'several-servers');
  expect(await awayMs(pages)).toBeLessThan(AWAY_MS_MAX);
  // Each page was at one of the edges that were killed, and resumed at its position.
  for (const { sockets } of recorders) {
    const answers = sockets.slice(1).flatMap((socket) => socket.received('subscribed'));
    expect(answers.length).toBeGreaterThan(0);
    for (const answer of answers) expect(answer).toMatchObject({ recovered: true });
  }
});

test('control: with both servers killed both pages are shown as stale', async () => {
  const pages: [SeatPage, SeatPage] = [await visitor('alice'), await visitor('bob')];
  for (const server of cluster.servers) await server.kill();
  for (const page of pages) await page.isNow('stale');
  await until('their time away counts', async () => (await awayMs(pages)) > 0);
  for (const server of cluster.servers) await server.start();
  for (const page of pages) await page.isNow('live');
  await cluster.seatctl.lock(SHOWTIME, ['E01'], 'eve');
  await expectSame(pages);
});
