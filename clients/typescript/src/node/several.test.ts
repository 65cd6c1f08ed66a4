// What calls do with several servers of which some are away.

import { status } from '@grpc/grpc-js';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { createSeatLockClient, type SeatLockClient } from './client.js';
import { isSeatLockError, type SeatLockError } from './errors.js';
import type { SeatLockClientOptions } from './options.js';
import {
  gone,
  granted,
  info,
  page,
  refusal,
  retryIn,
  type ScriptedService,
} from './test/scripted_service.js';
import { rankedFor, startRanked } from './test/several.js';

const SEAT = { showtimeId: '123', seatId: 'A06', sessionId: 'alice' };
const DRAINING = refusal(status.UNAVAILABLE, info('DRAINING', { outcome: 'none' }), retryIn(9e5));
const NO_STORE = refusal(status.UNAVAILABLE, info('STORE_UNAVAILABLE', { outcome: 'none' }));
const UNKNOWN = refusal(status.UNAVAILABLE, info('OUTCOME_UNKNOWN', { outcome: 'unknown' }));
const SEAT_TAKEN = refusal(status.FAILED_PRECONDITION, info('SEAT_TAKEN'));

/** Of showtime 123, the most preferred first. */
let services: ScriptedService[];
let first: ScriptedService;
let second: ScriptedService;
let third: ScriptedService;
let client: SeatLockClient;

function connect(options: Partial<SeatLockClientOptions> = {}): SeatLockClient {
  client?.close();
  client = createSeatLockClient({
    servers: services.map(({ address }) => address),
    retries: 3,
    backoffMs: { first: 1, max: 2 },
    deadlineMs: 20_000,
    attemptMs: 10_000,
    ...options,
  });
  return client;
}

async function failureOf(call: Promise<unknown>): Promise<SeatLockError> {
  const failure: unknown = await call.then(
    () => undefined,
    (error: unknown) => error,
  );
  if (!isSeatLockError(failure)) throw new Error(`not a SeatLockError: ${String(failure)}`);
  return failure;
}

/** How many locks each was asked for, the most preferred first. */
const asked = () => services.map(({ locks }) => locks.length);
const requestIds = () => new Set(services.flatMap(({ locks }) => locks.map((it) => it.requestId)));

beforeEach(async () => {
  services = await startRanked(SEAT.showtimeId, 3);
  for (const service of services) service.scriptLocks(granted());
  [first, second, third] = services as [ScriptedService, ScriptedService, ScriptedService];
  connect();
});
afterEach(() => {
  client.close();
  for (const service of services) service.stop();
});

test('every showtime is asked for at the server that it prefers', async () => {
  for (let i = 0; i < 40; ++i) {
    const showtimeId = `showtime-${i}`;
    const [preferred] = rankedFor(showtimeId, services);
    const before = preferred?.locks.length ?? 0;
    await client.lockSeat({ ...SEAT, showtimeId });
    expect(preferred?.locks).toHaveLength(before + 1);
  }
  expect(asked().every((count) => count > 0)).toBe(true);
});

test('the order of the list makes no difference', async () => {
  connect({ servers: services.map(({ address }) => address).reverse() });
  await client.lockSeat(SEAT);
  expect(asked()).toEqual([1, 0, 0]);
});

test('servers beats address', async () => {
  connect({ address: third.address, servers: [second.address] });
  await client.lockSeat(SEAT);
  expect(asked()).toEqual([0, 1, 0]);
});

test.each([
  ['that drains, however late it asks to be asked again', DRAINING],
  ['whose store cannot be used', NO_STORE],
])('instead of a server %s the next is asked at once, as the same request', async (_, answer) => {
  first.scriptLocks(answer);
  connect({ retries: 0, backoffMs: { first: 60_000, max: 60_000 } });
  await client.lockSeat(SEAT);
  expect(asked()).toEqual([1, 1, 0]);
  expect(requestIds().size).toBe(1);
});

test('instead of a server without a connection the next is asked at once', async () => {
  first.stop();
  second.stop();
  connect({ retries: 0, backoffMs: { first: 60_000, max: 60_000 } });
  await client.lockSeat(SEAT);
  expect(asked()).toEqual([0, 0, 1]);
});

test.each([
  ['an unknown outcome', UNKNOWN],
  ['a connection that broke', gone],
])('%s is no reason to ask another server without a retry', async (_, answer) => {
  first.scriptLocks(answer);
  connect({ retries: 0 });
  expect(await failureOf(client.lockSeat(SEAT))).toMatchObject({ outcome: 'unknown' });
  expect(asked()).toEqual([1, 0, 0]);
});

test.each([
  ['an unknown outcome', UNKNOWN],
  ['a connection that broke', gone],
  ['no answer in time', () => undefined],
])('after %s the retry asks the next server, as the same request', async (_, answer) => {
  first.scriptLocks(answer);
  connect({ retries: 1, attemptMs: 500 });
  await client.lockSeat(SEAT);
  expect(asked()).toEqual([1, 1, 0]);
  expect(requestIds().size).toBe(1);
});

test('a refusal is no reason to ask another server', async () => {
  first.scriptLocks(SEAT_TAKEN);
  expect(await failureOf(client.lockSeat(SEAT))).toMatchObject({ reason: 'SEAT_TAKEN' });
  expect(asked()).toEqual([1, 0, 0]);
});

test('one that is overloaded is asked again when it says, and no other', async () => {
  const overloaded = refusal(status.RESOURCE_EXHAUSTED, info('OVERLOADED'), retryIn(50));
  first.scriptLocks(overloaded, granted());
  await client.lockSeat(SEAT);
  expect(asked()).toEqual([2, 0, 0]);
});

test('what only reads asks the next server at once, whatever became of the attempt', async () => {
  const [preferred, next] = rankedFor('', services);
  preferred?.scriptPages(gone);
  next?.scriptPages(page(['a']));
  connect({ retries: 0 });
  expect((await client.listShowtimes()).showtimes).toHaveLength(1);
  expect(preferred?.lists).toHaveLength(1);
});

test('a server that is away is not asked again by the calls that follow', async () => {
  first.scriptLocks(DRAINING);
  for (let i = 0; i < 5; ++i) await client.lockSeat(SEAT);
  expect(asked()).toEqual([1, 5, 0]);
});

test('it is away for all showtimes', async () => {
  first.scriptLocks(DRAINING);
  await client.lockSeat(SEAT);
  for (let i = 0; i < 20; ++i) await client.lockSeat({ ...SEAT, showtimeId: `showtime-${i}` });
  expect(first.locks).toHaveLength(1);
});

test('one that refuses a damaged showtime still serves the others', async () => {
  for (const service of services) {
    service.scriptLocks((call) => (call.request.showtimeId === '123' ? NO_STORE : granted()));
  }
  for (let i = 0; i < 5; ++i) {
    await failureOf(client.lockSeat(SEAT));
    const showtimeId = `showtime-${i}`;
    await client.lockSeat({ ...SEAT, showtimeId });
    const [preferred] = rankedFor(showtimeId, services);
    expect(preferred?.locks.at(-1)?.showtimeId).toBe(showtimeId);
  }
});

test('calls return to the preferred server once it is back', async () => {
  first.stop();
  await client.lockSeat(SEAT);
  expect(asked()).toEqual([0, 1, 0]);
  await first.start();
  while (first.locks.length === 0) await client.lockSeat(SEAT);
  const before = second.locks.length;
  for (let i = 0; i < 20; ++i) await client.lockSeat(SEAT);
  expect(second.locks).toHaveLength(before);
}, 30_000);

test('one call at a time tries a server that may be back', async () => {
  first.scriptLocks(gone, () => undefined);
  await client.lockSeat(SEAT);
  const calls: Promise<unknown>[] = [];
  while (first.locks.length < 2) {
    const call = client.lockSeat(SEAT);
    calls.push(call.catch(() => {}));
    await Promise.race([call, new Promise(setImmediate)]);
  }
  for (let i = 0; i < 50; ++i) await client.lockSeat(SEAT);
  expect(first.locks).toHaveLength(2);
  client.close();
}, 30_000);

test('where all are away the attempts are bounded, and the error says who was asked', async () => {
  for (const service of services) service.scriptLocks(DRAINING);
  connect({ deadlineMs: 1_000 });
  const error = await failureOf(client.lockSeat(SEAT));
  expect(error).toMatchObject({ reason: 'DRAINING', outcome: 'none', server: third.address });
  expect(error.message).toContain(third.address);
  expect(asked()).toEqual([1, 1, 1]);
});

test('with all away the attempts are bounded by the retries', async () => {
  for (const service of services) service.scriptLocks(NO_STORE);
  const error = await failureOf(client.lockSeat(SEAT));
  expect(error).toMatchObject({ reason: 'STORE_UNAVAILABLE', outcome: 'none' });
  // A round of all three, then three retries of one server, or of all if pauses end meanwhile.
  const attempts = asked().reduce((sum, count) => sum + count);
  expect(attempts).toBeGreaterThanOrEqual(6);
  expect(attempts).toBeLessThanOrEqual(12);
});

test('the deadline ends a call that nobody answers', async () => {
  for (const service of services) service.scriptLocks(() => undefined);
  connect({ attemptMs: 100, deadlineMs: 450, retries: 100 });
  const start = performance.now();
  const error = await failureOf(client.lockSeat(SEAT));
  expect(error).toMatchObject({ reason: 'DEADLINE_EXCEEDED', outcome: 'unknown' });
  expect(performance.now() - start).toBeLessThan(5_000); // room for a busy machine
  expect(asked().every((count) => count > 0)).toBe(true);
});

test('what an earlier server may have done is not forgotten', async () => {
  first.scriptLocks(UNKNOWN);
  second.scriptLocks(NO_STORE);
  third.scriptLocks(NO_STORE);
  connect({ retries: 1 });
  const error = await failureOf(client.lockSeat(SEAT));
  expect(error).toMatchObject({ reason: 'STORE_UNAVAILABLE', outcome: 'unknown' });
  expect(error.message).toContain('an earlier attempt may have happened');
});

test('a signal ends a call between two servers', async () => {
  const abort = new AbortController();
  first.scriptLocks(() => {
    abort.abort();
    return DRAINING;
  });
  const error = await failureOf(client.lockSeat(SEAT, { signal: abort.signal }));
  expect(error).toMatchObject({ reason: 'CANCELLED', server: first.address });
  expect(asked()).toEqual([1, 0, 0]);
});

test('one address stays one address: it is asked again, and is never left out', async () => {
  first.scriptLocks(NO_STORE, NO_STORE, granted());
  connect({ servers: undefined, address: first.address });
  await client.lockSeat(SEAT);
  expect(asked()).toEqual([3, 0, 0]);
});

test('the error of one address names it, and its message is the service’s alone', async () => {
  first.scriptLocks(SEAT_TAKEN);
  connect({ servers: undefined, address: first.address });
  const error = await failureOf(client.lockSeat(SEAT));
  expect(error.server).toBe(first.address);
  expect(error.message).toBe('SEAT_TAKEN: refused');
});

test('pages of showtimes come one after another', async () => {
  const [preferred] = rankedFor('', services);
  preferred?.scriptPages(page(['a', 'b'], 'b'), page([], 'c'), page(['d']));
  const seen: string[] = [];
  for await (const { showtimeId } of client.allShowtimes({ pageSize: 2 })) seen.push(showtimeId);
  expect(seen).toEqual(['a', 'b', 'd']);
  expect(preferred?.lists).toEqual([
    { pageSize: 2, pageToken: '' },
    { pageSize: 2, pageToken: 'b' },
    { pageSize: 2, pageToken: 'c' },
  ]);
});

test('the next page comes from another server if the first has gone', async () => {
  const [preferred, next] = rankedFor('', services);
  preferred?.scriptPages(page(['a'], 'a'), DRAINING);
  next?.scriptPages(page(['b']));
  const seen: string[] = [];
  for await (const { showtimeId } of client.allShowtimes()) seen.push(showtimeId);
  expect(seen).toEqual(['a', 'b']);
});

test('a page that says that it follows itself ends the list', async () => {
  const [preferred] = rankedFor('', services);
  preferred?.scriptPages(page(['a'], 'a'));
  const seen: string[] = [];
  const all = async () => {
    for await (const { showtimeId } of client.allShowtimes()) seen.push(showtimeId);
  };
  expect(await failureOf(all())).toMatchObject({ reason: 'INTERNAL' });
  expect(seen).toEqual(['a', 'a']);
});
