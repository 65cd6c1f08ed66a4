// The client against a real seatlockd: every call, every reason that it can be made to give,
// restarts, and snapshots of many pieces.

import { afterAll, beforeAll, beforeEach, expect, onTestFinished, test } from 'vitest';
import { createSeatLockClient, type SeatLockClient } from './client.js';
import { isSeatLockError, type SeatLockError } from './errors.js';
import { Seatlockd } from './test/seatlockd.js';
import type { Seat, WatchEvent } from './types.js';
import type { ShowtimeWatch } from './watch.js';

let service: Seatlockd;
let client: SeatLockClient;
let showtimeId = '';
let showtimes = 0;

beforeAll(async () => {
  service = await Seatlockd.start('memory');
  client = createSeatLockClient({ address: service.address });
});
afterAll(async () => {
  client.close();
  await service.remove();
});
beforeEach(() => {
  showtimeId = `s${++showtimes}`;
});

async function failureOf(call: Promise<unknown>): Promise<SeatLockError> {
  const failure: unknown = await call.then(
    () => undefined,
    (error: unknown) => error,
  );
  if (!isSeatLockError(failure)) throw new Error(`not a SeatLockError: ${String(failure)}`);
  return failure;
}

async function next(watch: ShowtimeWatch): Promise<WatchEvent> {
  const { value } = await watch.next();
  if (!value) throw new Error('the watch ended');
  return value;
}

const alice = () => ({ showtimeId, sessionId: 'alice' });
const bob = () => ({ showtimeId, sessionId: 'bob' });

test('a seat is locked, extended, listed, and freed', async () => {
  const { lock, revision, serverTime } = await client.lockSeat({ ...alice(), seatId: 'A06' });
  expect(lock).toMatchObject({ ...alice(), seatId: 'A06', fence: 1 });
  expect(revision).toBe(1);
  expect(lock.expireTime.getTime() - serverTime.getTime()).toBeGreaterThan(9 * 60_000);

  const extended = await client.extendLocks({ ...alice(), all: true, ttlMs: 3_600_000 });
  expect(extended.revision).toBe(2);
  expect(extended.locks[0]?.expireTime.getTime()).toBeGreaterThan(lock.expireTime.getTime());
  expect(extended.locks[0]?.fence).toBe(1);

  const listed = await client.listSessionLocks(alice());
  expect(listed.locks).toEqual(extended.locks);
  expect(listed.revision).toBe(2);

  expect((await client.unlockSeat({ ...alice(), seatId: 'A06' })).revision).toBe(3);
  expect((await client.unlockSeats({ ...alice(), all: true })).revision).toBe(3);
});

test('seats are swapped in one step', async () => {
  await client.lockSeats({ ...alice(), seatIds: ['A1', 'A2'] });
  const swap = { seatIds: ['A3'], releaseSeatIds: ['A1', 'A2'] };
  const { locks, revision } = await client.lockSeats({ ...alice(), ...swap });
  expect(locks.map((lock) => lock.seatId)).toEqual(['A3']);
  expect(revision).toBe(2);
  const { snapshot } = await client.getShowtime({ showtimeId });
  expect(snapshot).toMatchObject({ showtimeId, revision: 2 });
  expect(snapshot.seats).toEqual([
    { seatId: 'A3', status: 'locked', sessionId: 'alice', expireTime: expect.any(Date) },
  ]);
});

test('seats are booked, cancelled, and known by their order', async () => {
  const order = { showtimeId, orderId: 'o-1' };
  expect(await client.getOrder(order)).toEqual({ state: 'unknown', seatIds: [], revision: 0 });
  const { lock } = await client.lockSeat({ ...alice(), seatId: 'A1' });
  const booked = await client.bookSeats({
    ...alice(),
    ...order,
    seatIds: ['A1', 'A2'],
    fences: { A1: lock.fence },
  });
  expect(booked.bookedSeatIds).toEqual(['A1', 'A2']);
  expect(await client.getOrder(order)).toMatchObject({ state: 'open', seatIds: ['A1', 'A2'] });
  await client.cancelBooking({ ...order, all: true });
  expect(await client.getOrder(order)).toMatchObject({ state: 'cancelled', seatIds: [] });
});

test('every lost seat stands in the error, and never who has it', async () => {
  await client.lockSeat({ ...alice(), seatId: 'A1' });
  await client.bookSeats({ ...alice(), seatIds: ['A3'], orderId: 'o-1' });
  const error = await failureOf(client.lockSeats({ ...bob(), seatIds: ['A3', 'A2', 'A1'] }));
  expect(error).toMatchObject({ reason: 'SEAT_TAKEN', code: 9, outcome: 'none' });
  expect(error.conflicts).toEqual([
    { seatId: 'A3', status: 'booked', reason: 'SEAT_TAKEN' },
    { seatId: 'A1', status: 'locked', reason: 'SEAT_TAKEN' },
  ]);
  expect(JSON.stringify(error)).not.toContain('alice');
});

test('showtimes are listed, page after page, with what is in them', async () => {
  const listing = await Seatlockd.start('sqlite');
  onTestFinished(() => listing.remove());
  const lister = createSeatLockClient({ servers: ['127.0.0.1:1', listing.address] });
  expect(await lister.listShowtimes()).toEqual({ showtimes: [], nextPageToken: '' });
  const ids = Array.from({ length: 25 }, (_, i) => `show-${100 + i}`);
  const lock = (id: string) =>
    lister.lockSeats({ showtimeId: id, sessionId: 'a', seatIds: ['A1', 'A2'] });
  await Promise.all(ids.map(lock));
  await lister.bookSeats({ showtimeId: 'show-100', sessionId: 'a', seatIds: ['A1'], orderId: 'o' });

  const first = await lister.listShowtimes({ pageSize: 10 });
  expect(first.showtimes.map((each) => each.showtimeId)).toEqual(ids.slice(0, 10));
  expect(first.showtimes[0]).toMatchObject({ revision: 2, locked: 1, booked: 1, blocked: 0 });
  expect(first.showtimes[0]?.epoch).not.toBe('');
  const { nextPageToken: pageToken } = first;
  const second = await lister.listShowtimes({ pageSize: 10, pageToken });
  expect(second.showtimes.map((each) => each.showtimeId)).toEqual(ids.slice(10, 20));
  const seen: string[] = [];
  for await (const each of lister.allShowtimes({ pageSize: 7 })) seen.push(each.showtimeId);
  expect(seen).toEqual(ids);
  const bad = await failureOf(lister.listShowtimes({ pageToken: 'nonsense' }));
  expect(bad.reason).toBe('INVALID_FIELD');
  lister.close();
});

test('a seat of another session is not extended', async () => {
  await client.lockSeat({ ...alice(), seatId: 'A1' });
  const error = await failureOf(client.extendLocks({ ...bob(), seatIds: ['A1', 'A2'] }));
  expect(error.reason).toBe('NOT_LOCK_HOLDER');
  expect(error.conflicts.map(({ seatId, status }) => [seatId, status])).toEqual([
    ['A1', 'locked'],
    ['A2', 'available'],
  ]);
});

test('a fence that another grant has passed is stale', async () => {
  const { lock } = await client.lockSeat({ ...alice(), seatId: 'A1' });
  await client.unlockSeat({ ...alice(), seatId: 'A1' });
  await client.lockSeat({ ...bob(), seatId: 'A1' });
  await client.unlockSeat({ ...bob(), seatId: 'A1' });
  const late = { ...alice(), orderId: 'o-1', seatIds: ['A1'], fences: { A1: lock.fence } };
  const error = await failureOf(client.bookSeats(late));
  expect(error.reason).toBe('STALE_FENCE');
  expect(error.conflicts).toEqual([{ seatId: 'A1', status: 'available', reason: 'STALE_FENCE' }]);
});

test('limits say what they are', async () => {
  const error = await failureOf(
    client.lockSeats({ ...alice(), seatIds: ['A1', 'A2', 'A3'], maxSessionSeats: 2 }),
  );
  expect(error).toMatchObject({ reason: 'SESSION_SEAT_LIMIT', metadata: { limit: '2' } });
  const grant = await client.lockSeat({ ...alice(), seatId: 'A1' });
  const limited = await failureOf(extendPastTheLimit(grant.lock.seatId));
  expect(limited.reason).toBe('EXTEND_LIMIT');
  expect(limited.metadata.max_expire_time).toBeDefined();
});

// The greatest age counts from the grant, so after any time at all 2 h is too long.
async function extendPastTheLimit(seatId: string): Promise<void> {
  for (;;) await client.extendLocks({ ...alice(), seatIds: [seatId], ttlMs: 7_200_000 });
}

test('an order is what was first sold under it', async () => {
  const order = { showtimeId, orderId: 'o-1' };
  expect((await failureOf(client.cancelBooking({ ...order, all: true }))).reason).toBe(
    'UNKNOWN_ORDER',
  );
  expect((await failureOf(client.bookSeats({ ...alice(), ...order }))).reason).toBe('NOTHING_HELD');
  await client.bookSeats({ ...alice(), ...order, seatIds: ['A1'] });
  const other = await failureOf(client.bookSeats({ ...alice(), ...order, seatIds: ['A2'] }));
  expect(other.reason).toBe('ORDER_MISMATCH');
  await client.cancelBooking({ ...order, seatIds: ['A1'] });
  const again = await failureOf(client.bookSeats({ ...alice(), ...order, seatIds: ['A1'] }));
  expect(again.reason).toBe('ORDER_CANCELLED');
});

test('a request id is one request', async () => {
  const request = { ...alice(), seatId: 'A1', requestId: 'r-1' };
  const first = await client.lockSeat(request);
  const { lock, revision } = await client.lockSeat(request);
  expect({ lock, revision }).toEqual({ lock: first.lock, revision: first.revision });
  const error = await failureOf(client.lockSeat({ ...request, seatId: 'A2' }));
  expect(error).toMatchObject({ reason: 'REQUEST_ID_REUSED', requestId: 'r-1' });
});

test('a field out of bounds is named', async () => {
  const error = await failureOf(client.lockSeat({ ...alice(), seatId: '', ttlMs: 1 }));
  expect(error).toMatchObject({ reason: 'INVALID_FIELD', code: 3 });
  expect(error.fieldViolations.map(({ field }) => field)).toEqual(['seat_id', 'ttl']);
});

test('a watch shows what is there, then what changes', async () => {
  await client.bookSeats({ ...alice(), seatIds: ['A1'], orderId: 'o-1' });
  const watch = client.watchShowtime({ showtimeId });
  const booked = { seatId: 'A1', status: 'booked', orderId: 'o-1' };
  expect(await next(watch)).toMatchObject({
    type: 'snapshot',
    replaces: false,
    snapshot: { revision: 1, seats: [booked] },
  });
  await client.lockSeat({ ...bob(), seatId: 'A2', ttlMs: 1_000 });
  const locked = { seatId: 'A2', status: 'locked', sessionId: 'bob', expireTime: expect.any(Date) };
  expect(await next(watch)).toMatchObject({
    type: 'change',
    change: { revision: 2, cause: 'lock', commitTime: expect.any(Date), seats: [locked] },
  });
  expect(await next(watch)).toMatchObject({
    change: { revision: 3, cause: 'expired', seats: [{ seatId: 'A2', status: 'available' }] },
  });
  await watch.return();
});

test('a snapshot of many pieces comes as one, where a read is too large', async () => {
  const rows = 200;
  const seatId = (row: number, place: number) =>
    `row-${String(row).padStart(3, '0')}-${String(place).padStart(3, '0')}`.padEnd(40, '.');
  const seatIdsOf = (row: number) => Array.from({ length: 100 }, (_, place) => seatId(row, place));
  for (let row = 0; row < rows; row += 20) {
    const batch = Array.from({ length: 20 }, (_, i) => ({
      showtimeId,
      sessionId: String(row + i).padEnd(128, '.'),
      seatIds: seatIdsOf(row + i),
    }));
    await Promise.all(batch.map((request) => client.lockSeats(request)));
  }
  expect((await failureOf(client.getShowtime({ showtimeId }))).reason).toBe('SNAPSHOT_TOO_LARGE');
  const watch = client.watchShowtime({ showtimeId });
  const first = await next(watch);
  if (first.type !== 'snapshot') throw new Error(`first came ${first.type}`);
  expect(first.snapshot.revision).toBe(rows);
  expect(first.snapshot.seats.map((seat: Seat) => seat.seatId)).toEqual(
    Array.from({ length: rows }, (_, row) => seatIdsOf(row)).flat(),
  );
  await watch.return();
});

test('one that takes slowly gets a snapshot in place of what it missed', async () => {
  const seatIds = Array.from({ length: 100 }, (_, place) => `${place}`.padEnd(40, '.'));
  const session = { showtimeId, sessionId: 'long'.padEnd(128, '.') };
  const watch = client.watchShowtime({ showtimeId });
  await next(watch);
  const rounds = 400; // of about 20 KB each: beyond all that buffers hold on the way
  for (let round = 0; round < rounds; ++round) {
    if (round % 2) await client.unlockSeats({ ...session, all: true });
    else await client.lockSeats({ ...session, seatIds });
  }
  let replaced = 0;
  let revision = 0;
  while (revision < rounds) {
    const event = await next(watch);
    if (event.type === 'change') expect(event.change.revision).toBe(revision + 1);
    if (event.type === 'snapshot') replaced += Number(event.replaces);
    revision = watch.position?.revision ?? 0;
  }
  expect(replaced).toBeGreaterThan(0);
  await watch.return();
});
