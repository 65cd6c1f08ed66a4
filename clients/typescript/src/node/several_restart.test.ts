// The client with two servers on one store, of which one after the other goes away: one seatlockd
// behind two ports that close and open.

import { afterEach, beforeEach, expect, test } from 'vitest';
import { createSeatLockClient, type SeatLockClient } from './client.js';
import { isSeatLockError } from './errors.js';
import { Forwarder } from './test/forwarder.js';
import { Seatlockd } from './test/seatlockd.js';
import { rankedFor } from './test/several.js';
import type { ShowtimeWatch } from './watch.js';

const SHOWTIME = { showtimeId: '123' };
const ALICE = { ...SHOWTIME, sessionId: 'alice' };
const FROM_THE_START = { epoch: '', revision: 0 };

let service: Seatlockd;
let first: Forwarder;
let second: Forwarder;
let client: SeatLockClient;

beforeEach(async () => {
  service = await Seatlockd.start('memory');
  const ports = [await Forwarder.start(service.address), await Forwarder.start(service.address)];
  [first, second] = rankedFor('123', ports) as [Forwarder, Forwarder];
  client = createSeatLockClient({
    servers: [first.address, second.address],
    deadlineMs: 20_000,
  });
});
afterEach(async () => {
  client.close();
  await Promise.all([first.stop(), second.stop()]);
  await service.remove();
});

/** Locks seats, one after another, until `done`; answers the revisions that it was given. */
async function lockUntil(done: () => boolean): Promise<number[]> {
  const revisions: number[] = [];
  while (!done()) {
    // A session may lock only so many seats that were never seen before.
    const seatId = `A${revisions.length % 100}`;
    revisions.push((await client.lockSeat({ ...ALICE, seatId })).revision);
    await client.unlockSeat({ ...ALICE, seatId });
  }
  return revisions;
}

/** The revisions that a watch shows, until its last one is `last`. */
async function revisionsOf(watch: ShowtimeWatch, last: () => number): Promise<number[]> {
  const seen: number[] = [];
  for await (const event of watch) {
    if (event.type === 'snapshot') throw new Error('a snapshot came: changes were missed');
    if (event.type === 'change') seen.push(event.change.revision);
    if (seen.length > 0 && seen.at(-1) === last()) break;
  }
  return seen;
}

const upTo = (last: number) => Array.from({ length: last }, (_, i) => i + 1);

test('while servers go and come back no call fails, no change is missed or doubled', async () => {
  let last = -1;
  const watch = client.watchShowtime({ ...SHOWTIME, resume: FROM_THE_START });
  const seen = revisionsOf(watch, () => last);
  let rounds = 0;
  const restarting = async () => {
    for (; rounds < 6; ++rounds) {
      const leaving = rounds % 2 === 0 ? first : second;
      const staying = leaving === first ? second : first;
      await leaving.stop();
      const until = performance.now() + 200;
      while (staying.connections === 0 || performance.now() < until) {
        await new Promise((resolve) => setTimeout(resolve, 10));
      }
      await leaving.start();
    }
  };
  const [given] = await Promise.all([lockUntil(() => rounds === 6), restarting()]);
  const { lock, revision } = await client.lockSeat({ ...ALICE, seatId: 'the last' });
  last = revision;
  expect(lock.seatId).toBe('the last');
  // Every lock and every unlock was done once, whoever was asked for it how often.
  expect(given).toEqual(given.map((_, i) => 2 * i + 1));
  expect(revision).toBe(2 * given.length + 1);
  expect(await seen).toEqual(upTo(revision));
}, 60_000);

test('calls and a watch return to the preferred server', async () => {
  let last = -1;
  const watch = client.watchShowtime({ ...SHOWTIME, resume: FROM_THE_START });
  const seen = revisionsOf(watch, () => last);
  await first.stop();
  await client.lockSeat({ ...ALICE, seatId: 'A06' });
  await first.start();
  await lockUntil(() => first.connections > 0);
  // Then the other one may go: nothing is at it any more.
  await second.stop();
  last = (await client.lockSeat({ ...ALICE, seatId: 'the last' })).revision;
  expect(await seen).toEqual(upTo(last));
}, 60_000);

test('control: with one address the same outage is seen', async () => {
  client.close();
  client = createSeatLockClient({ address: first.address, retries: 0 });
  await first.stop();
  const call = client.lockSeat({ ...ALICE, seatId: 'A06' });
  const failure: unknown = await call.catch((error: unknown) => error);
  expect(isSeatLockError(failure) && failure.reason).toBe('UNAVAILABLE');
});
