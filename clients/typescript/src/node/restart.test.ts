// The client while the service dies and comes back.

import { afterEach, beforeEach, expect, test } from 'vitest';
import { createSeatLockClient, type SeatLockClient } from './client.js';
import { Seatlockd } from './test/seatlockd.js';
import type { ShowtimeWatch } from './watch.js';

const SHOWTIME = { showtimeId: '123' };
const ALICE = { ...SHOWTIME, sessionId: 'alice' };

let service: Seatlockd;
let client: SeatLockClient;

beforeEach(async () => {
  service = await Seatlockd.start('sqlite');
  client = connect();
});
afterEach(async () => {
  client.close();
  await service.remove();
});

const connect = () =>
  createSeatLockClient({
    address: service.address,
    deadlineMs: 30_000,
    retries: 100,
    backoffMs: { first: 50, max: 200 },
  });

async function killAndRestart(): Promise<void> {
  await service.stop('SIGKILL');
  await service.start();
}

test('a retry after a kill and a restart gets the first answer', async () => {
  const request = { ...ALICE, seatId: 'A06', requestId: 'r-1' };
  const first = await client.lockSeat(request);
  await client.unlockSeat({ ...ALICE, seatId: 'A06' });
  await killAndRestart();
  const { lock, revision } = await client.lockSeat(request);
  expect(lock).toEqual(first.lock);
  expect(revision).toBe(first.revision);
  // It was not done again: the seat is free, as it was left.
  expect((await client.listSessionLocks(ALICE)).locks).toEqual([]);
});

test('a call made while the service is away succeeds on its return', async () => {
  await service.stop('SIGKILL');
  const call = client.lockSeat({ ...ALICE, seatId: 'A06' });
  await service.start();
  expect((await call).revision).toBe(1);
});

test('calls and a watch go through restarts, each change done and seen once', async () => {
  const seen: number[] = [];
  const watch = client.watchShowtime({ ...SHOWTIME, resume: { epoch: '', revision: 0 } });
  const locking = async () => {
    for (let round = 0; round < 3; ++round) {
      await Promise.all([lockTwenty(round * 20), killAndRestart()]);
    }
  };
  await Promise.all([collect(watch, seen, 60), locking()]);
  expect(seen).toEqual(Array.from({ length: 60 }, (_, i) => i + 1));
  expect((await client.listSessionLocks(ALICE)).locks).toHaveLength(60);
});

async function lockTwenty(from: number): Promise<void> {
  const seats = Array.from({ length: 20 }, (_, i) => `A${from + i}`);
  await Promise.all(seats.map((seatId) => client.lockSeat({ ...ALICE, seatId })));
}

async function collect(watch: ShowtimeWatch, seen: number[], last: number): Promise<void> {
  for await (const event of watch) {
    if (event.type === 'snapshot') throw new Error('a snapshot came: changes were missed');
    if (event.type === 'change') seen.push(event.change.revision);
    if (event.type === 'change' && event.change.revision === last) return;
  }
}

test('a service that lost its store says so with a snapshot', async () => {
  await service.remove();
  service = await Seatlockd.start('memory');
  client.close();
  client = connect();
  await client.lockSeat({ ...ALICE, seatId: 'A06' });
  const watch = client.watchShowtime(SHOWTIME);
  expect((await watch.next()).value).toMatchObject({ snapshot: { revision: 1 } });
  const waiting = watch.next();
  await killAndRestart();
  expect((await waiting).value).toMatchObject({ replaces: true, snapshot: { seats: [] } });
  await client.lockSeat({ ...ALICE, seatId: 'A07' });
  expect((await watch.next()).value).toMatchObject({ change: { revision: 1 } });
  await watch.return();
});
