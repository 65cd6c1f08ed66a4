// What a watch does with several servers of which some are away.

import { status } from '@grpc/grpc-js';
import { afterEach, beforeEach, expect, test, vi } from 'vitest';
import { createSeatLockClient, type SeatLockClient } from './client.js';
import type { SeatLockClientOptions } from './options.js';
import {
  event,
  gone,
  granted,
  info,
  refusal,
  retryIn,
  type ScriptedService,
  type WatchCall,
} from './test/scripted_service.js';
import { startRanked } from './test/several.js';
import type { ShowtimeWatch } from './watch.js';

const SHOWTIME = { showtimeId: '123' };
const SEAT = { ...SHOWTIME, seatId: 'A06', sessionId: 'alice' };
const DRAINING = refusal(status.UNAVAILABLE, info('DRAINING', { outcome: 'none' }), retryIn(9e5));
const NO_STORE = refusal(status.UNAVAILABLE, info('STORE_UNAVAILABLE', { outcome: 'none' }));
const OVERLOADED = refusal(status.RESOURCE_EXHAUSTED, info('OVERLOADED'), retryIn(10));

/** The history that all servers have: changes 1 to `head`. A stream sends what comes after it. */
let head: number;
/** Of showtime 123, the most preferred first. */
let first: ScriptedService;
let second: ScriptedService;
let client: SeatLockClient;
let watch: ShowtimeWatch;
const streams = new Map<ScriptedService, Set<WatchCall>>();

const change = (revision: number) =>
  event({
    event: {
      $case: 'change',
      value: { showtimeId: '123', epoch: 'e', revision, commitTime: new Date(0), cause: 1 },
    },
  });
const progress = (revision: number) =>
  event({ event: { $case: 'progress', value: { epoch: 'e', revision } } });

/** As the service does: the changes after the position, then `progress`, then what comes. */
function serve(service: ScriptedService): void {
  service.scriptWatches((call) => {
    const open = streams.get(service) ?? new Set();
    streams.set(service, open.add(call));
    call.on('cancelled', () => open.delete(call));
    for (let next = (call.request.resume?.revision ?? 0) + 1; next <= head; ++next) {
      call.write(change(next));
    }
    call.write(progress(head));
  });
}

function commit(): void {
  head += 1;
  for (const open of streams.values()) for (const call of open) call.write(change(head));
}

/** grpc-js resets the streams of a server that stops: a reason to come back after a pause. */
const SHORT_PAUSES = { backoffMs: { first: 1, max: 2 } };

function stop(service: ScriptedService): void {
  streams.delete(service);
  service.stop();
}

/** The next `count` changes. */
async function take(count: number): Promise<number[]> {
  const seen: number[] = [];
  while (seen.length < count) {
    const { value } = await watch.next();
    if (value?.type === 'snapshot') throw new Error('a snapshot: changes were missed');
    if (value === undefined) throw new Error('the watch ended');
    if (value.type === 'change') seen.push(value.change.revision);
  }
  return seen;
}

const serving = (service: ScriptedService) => (streams.get(service)?.size ?? 0) > 0;

/** Commits and takes changes, one after another, until `done`; each came once, in order. */
async function takeUntil(done: () => boolean): Promise<void> {
  const before = head;
  const seen: number[] = [];
  while (!done()) {
    commit();
    seen.push(...(await take(1)));
    await new Promise((resolve) => setTimeout(resolve, 5));
  }
  expect(seen).toEqual(Array.from({ length: head - before }, (_, i) => before + 1 + i));
}

function connect(options: Partial<SeatLockClientOptions> = {}): void {
  client?.close();
  client = createSeatLockClient({
    servers: [first.address, second.address],
    backoffMs: { first: 60_000, max: 60_000 }, // so that a pause would be noticed
    attemptMs: 10_000,
    ...options,
  });
  watch = client.watchShowtime({ ...SHOWTIME, resume: { epoch: '', revision: 0 } });
}

beforeEach(async () => {
  head = 0;
  streams.clear();
  [first, second] = (await startRanked('123', 2)) as [ScriptedService, ScriptedService];
  serve(first);
  serve(second);
  connect();
});
afterEach(() => {
  client.close();
  first.stop();
  second.stop();
});

test('follows its showtime at the server that it prefers', async () => {
  commit();
  expect(await take(1)).toEqual([1]);
  expect(first.watches).toHaveLength(1);
  expect(second.watches).toHaveLength(0);
});

test.each([
  ['drains', DRAINING],
  ['breaks the connection', gone],
  ['cannot use its store', NO_STORE],
])('goes on at once with the next server, at its position, if its own %s', async (_, end) => {
  commit();
  expect(await take(1)).toEqual([1]);
  for (const call of streams.get(first) ?? []) call.emit('error', end);
  streams.delete(first);
  first.scriptWatches((call) => call.emit('error', end));
  commit();
  expect(await take(1)).toEqual([2]);
  expect(second.watches[0]?.resume).toEqual({ epoch: 'e', revision: 1 });
  expect(watch.failure).toBeNull();
});

test('begins with the next server if its own is away', async () => {
  stop(first);
  commit();
  expect(await take(1)).toEqual([1]);
  expect(second.watches).toHaveLength(1);
});

test('says of each failure which server it came from', async () => {
  let failure: unknown;
  first.scriptWatches((call) => call.emit('error', DRAINING));
  second.scriptWatches((call) => {
    failure = watch.failure;
    call.write(change(1));
  });
  await take(1);
  expect(failure).toMatchObject({ reason: 'DRAINING', server: first.address });
});

test('pauses once no server is left to ask', async () => {
  first.scriptWatches((call) => call.emit('error', NO_STORE));
  second.scriptWatches((call) => call.emit('error', NO_STORE));
  const next = watch.next();
  await vi.waitFor(() => expect(watch.failure?.server).toBe(second.address));
  expect([first.watches.length, second.watches.length]).toEqual([1, 1]);
  await watch.return();
  expect((await next).done).toBe(true);
});

test('returns to its own server once that is back; misses and doubles nothing', async () => {
  connect(SHORT_PAUSES);
  await takeUntil(() => serving(first));
  stop(first);
  await takeUntil(() => serving(second));
  await first.start();
  await takeUntil(() => serving(first) && !serving(second));
}, 30_000);

test('keeps the stream that works while its own server refuses', async () => {
  stop(first);
  await takeUntil(() => serving(second));
  first.scriptWatches((call) => call.emit('error', OVERLOADED));
  await first.start();
  const refusedBefore = first.watches.length;
  await takeUntil(() => first.watches.length >= refusedBefore + 2);
  expect(second.watches).toHaveLength(1);
  expect(serving(second)).toBe(true);
  expect(watch.failure).toBeNull();
}, 30_000);

test('keeps the stream that works while its own server says nothing', async () => {
  connect({ attemptMs: 200 });
  stop(first);
  await takeUntil(() => serving(second));
  first.scriptWatches(() => {});
  await first.start();
  await takeUntil(() => first.watches.length >= 2);
  expect(second.watches).toHaveLength(1);
}, 30_000);

test('leaves a server that takes its stream and says nothing', async () => {
  connect({ attemptMs: 200 });
  first.scriptWatches(() => {});
  commit();
  expect(await take(1)).toEqual([1]);
  expect(second.watches).toHaveLength(1);
});

test('leaves a server that calls have found to be away, though its stream is open', async () => {
  connect({ attemptMs: 200 });
  await takeUntil(() => serving(first));
  first.scriptLocks(() => undefined);
  second.scriptLocks(granted());
  client.lockSeat(SEAT, { deadlineMs: 20_000 }).catch(() => {});
  await takeUntil(() => serving(second) && !serving(first));
}, 30_000);

test('many return one after another, not together', async () => {
  connect(SHORT_PAUSES);
  commit();
  const watches = Array.from({ length: 40 }, () => client.watchShowtime(SHOWTIME));
  stop(first);
  for (const one of watches) await one.next();
  expect(streams.get(second)?.size).toBe(40);
  await first.start();
  const waiting = watches.map((one) => one.next().catch(() => {}));
  const back = new Map<WatchCall, number>();
  await vi.waitFor(
    () => {
      for (const call of streams.get(first) ?? []) {
        if (!back.has(call)) back.set(call, performance.now());
      }
      expect(streams.get(second)?.size).toBe(0);
    },
    { timeout: 25_000, interval: 5 },
  );
  const times = [...back.values()];
  expect(Math.max(...times) - Math.min(...times)).toBeGreaterThan(300);
  for (const one of watches) await one.return();
  await Promise.all(waiting);
}, 30_000);

test('ends while it asks whether its own server is back', async () => {
  stop(first);
  await takeUntil(() => serving(second));
  let ended: Promise<unknown> | undefined;
  first.scriptWatches((call) => {
    ended = new Promise((resolve) => call.once('cancelled', resolve));
  });
  await first.start();
  await takeUntil(() => ended !== undefined);
  await watch.return();
  await ended;
}, 30_000);

test('with one address a watch stays with it', async () => {
  connect({ servers: undefined, address: first.address, ...SHORT_PAUSES });
  await takeUntil(() => serving(first));
  for (const call of streams.get(first) ?? []) call.emit('error', DRAINING_SOON);
  streams.delete(first);
  await takeUntil(() => serving(first));
  expect(second.watches).toHaveLength(0);
});

const DRAINING_SOON = refusal(status.UNAVAILABLE, info('DRAINING', { outcome: 'none' }));
