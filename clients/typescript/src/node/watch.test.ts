// What a watch does with streams that break, stall and lie.

import { once } from 'node:events';
import { createServer } from 'node:http2';
import type { AddressInfo } from 'node:net';
import { status } from '@grpc/grpc-js';
import { afterEach, beforeEach, expect, test, vi } from 'vitest';
import { createSeatLockClient, type SeatLockClient } from './client.js';
import { isSeatLockError } from './errors.js';
import { WatchShowtimeResponse } from './gen/seatlock/v1/seatlock_service.js';
import { SeatStatus } from './gen/seatlock/v1/seats.js';
import {
  event,
  gone,
  granted,
  info,
  refusal,
  retryIn,
  ScriptedService,
  type WatchCall,
} from './test/scripted_service.js';
import type { WatchEvent } from './types.js';
import type { ShowtimeWatch } from './watch.js';

let service: ScriptedService;
let client: SeatLockClient;

beforeEach(async () => {
  service = await ScriptedService.start();
  client = connect();
});
afterEach(() => {
  client.close();
  service.stop();
});

const connect = (silenceMs = 10_000) =>
  createSeatLockClient({ address: service.address, backoffMs: { first: 1, max: 2 }, silenceMs });

const piece = (seatId: string, revision: number, more = false, replaces = false) =>
  event({
    event: {
      $case: 'snapshot',
      value: {
        showtimeId: '123',
        epoch: 'e',
        revision,
        seats: [{ seatId, status: SeatStatus.BOOKED, orderId: 'o' }],
        more,
        replaces,
      },
    },
  });

const change = (revision: number, epoch = 'e') =>
  event({
    event: {
      $case: 'change',
      value: { showtimeId: '123', epoch, revision, commitTime: new Date(0), cause: 1, seats: [] },
    },
  });

const progress = (revision: number, epoch = 'e') =>
  event({ event: { $case: 'progress', value: { epoch, revision } } });

/** Sends these, then ends the stream with `end`, or leaves it open. */
const script =
  (messages: ReturnType<typeof event>[], end?: typeof gone | 'ok') => (call: WatchCall) => {
    for (const message of messages) call.write(message);
    if (end === 'ok') call.end();
    else if (end) call.emit('error', end);
  };

const summary = (seen: WatchEvent): string => {
  if (seen.type === 'snapshot') {
    const { seats, revision } = seen.snapshot;
    const ids = seats.map((seat) => seat.seatId).join();
    return `snapshot ${revision} ${ids}${seen.replaces ? ' replaces' : ''}`;
  }
  return seen.type === 'change'
    ? `change ${seen.change.revision}`
    : `progress ${seen.position.revision}`;
};

async function take(watch: ShowtimeWatch, count: number): Promise<string[]> {
  const seen: string[] = [];
  while (seen.length < count) {
    const { value, done } = await watch.next();
    if (done) break;
    seen.push(summary(value));
  }
  return seen;
}

test('pieces of a snapshot come as one', async () => {
  service.scriptWatches(script([piece('A1', 3, true), piece('A2', 3, true), piece('A3', 3)]));
  const watch = client.watchShowtime({ showtimeId: '123' });
  expect(await take(watch, 1)).toEqual(['snapshot 3 A1,A2,A3']);
  expect(watch.position).toEqual({ epoch: 'e', revision: 3 });
});

test('a lost stream goes on after the last position, without a hole or a repeat', async () => {
  service.scriptWatches(
    script([piece('A1', 3), change(4)], gone),
    script([], { code: status.INTERNAL, details: 'reset' }),
    script([change(5)], 'ok'),
    script([change(6)]),
  );
  const watch = client.watchShowtime({ showtimeId: '123' });
  const all = ['snapshot 3 A1', 'change 4', 'change 5', 'change 6'];
  expect(await take(watch, 4)).toEqual(all);
  expect(service.watches.map((request) => request.resume?.revision)).toEqual([undefined, 4, 4, 5]);
});

test('pieces of a snapshot that was lost on the way are forgotten', async () => {
  service.scriptWatches(
    script([piece('A1', 3, true)], gone),
    script([piece('A2', 4, true), piece('A3', 4)]),
  );
  const watch = client.watchShowtime({ showtimeId: '123' });
  expect(await take(watch, 1)).toEqual(['snapshot 4 A2,A3']);
});

test.each([
  ['a hole', [change(5)]],
  ['a repeat', [change(3)]],
  ['another epoch', [change(4, 'f')]],
  ['progress that is ahead', [progress(4)]],
  ['a piece of another snapshot', [piece('A1', 9, true), piece('A2', 10)]],
  ['a change within a snapshot', [piece('A1', 9, true), change(4)]],
])('a stream with %s is not believed', async (_, lies) => {
  service.scriptWatches(script([piece('A0', 3), ...lies]), script([change(4), progress(4)]));
  const watch = client.watchShowtime({ showtimeId: '123' });
  expect(await take(watch, 3)).toEqual(['snapshot 3 A0', 'change 4', 'progress 4']);
  expect(service.watches[1]?.resume).toEqual({ epoch: 'e', revision: 3 });
});

test('a showtime without changes says so, and goes on from nothing', async () => {
  service.scriptWatches(script([progress(0, '')], gone), script([change(1)]));
  const watch = client.watchShowtime({ showtimeId: '123' });
  expect(await take(watch, 2)).toEqual(['progress 0', 'change 1']);
  expect(service.watches[1]?.resume).toEqual({ epoch: '', revision: 0 });
});

test('a snapshot that replaces stands in place of what was resumed', async () => {
  service.scriptWatches(script([piece('A1', 2, false, true), change(3)]));
  const watch = client.watchShowtime({
    showtimeId: '123',
    resume: { epoch: 'old', revision: 99 },
  });
  expect(await take(watch, 2)).toEqual(['snapshot 2 A1 replaces', 'change 3']);
  expect(service.watches[0]?.resume).toEqual({ epoch: 'old', revision: 99 });
});

test('a silent stream is opened anew', async () => {
  client.close();
  client = connect(100);
  service.scriptWatches(script([piece('A1', 3)]), script([change(4)]));
  const watch = client.watchShowtime({ showtimeId: '123' });
  expect(await take(watch, 2)).toEqual(['snapshot 3 A1', 'change 4']);
});

test('says why there is no stream while it tries to get one', async () => {
  let failure: unknown;
  const watch = client.watchShowtime({ showtimeId: '123' });
  expect(watch.failure).toBeNull();
  service.scriptWatches(
    script([], refusal(status.UNAVAILABLE, info('DRAINING', { outcome: 'none' }))),
    (call) => {
      failure = watch.failure;
      call.write(progress(0, ''));
    },
  );
  await take(watch, 1);
  expect(failure).toMatchObject({ reason: 'DRAINING' });
  expect(watch.failure).toBeNull();
});

test('a refusal for good is thrown, and ends it', async () => {
  service.scriptWatches(script([], refusal(status.INVALID_ARGUMENT, info('INVALID_FIELD'))));
  const watch = client.watchShowtime({ showtimeId: '' });
  const failure: unknown = await watch.next().catch((error: unknown) => error);
  expect(isSeatLockError(failure) && failure.reason).toBe('INVALID_FIELD');
  expect(await watch.next()).toEqual({ done: true, value: undefined });
  expect(service.watches).toHaveLength(1);
});

test.each([
  ['RESOURCE_EXHAUSTED', status.RESOURCE_EXHAUSTED],
  ['UNKNOWN', status.UNKNOWN],
  ['ABORTED', status.ABORTED],
  ['CANCELLED', status.CANCELLED],
])('comes back from %s, which asking again can heal', async (_, code) => {
  service.scriptWatches(script([], { code, details: 'for now' }), script([change(1)]));
  const watch = client.watchShowtime({ showtimeId: '123' });
  expect(await take(watch, 1)).toEqual(['change 1']);
});

test('comes back after overload, not before the time that the service asked for', async () => {
  let refused = 0;
  let back = 0;
  const answer = refusal(status.RESOURCE_EXHAUSTED, info('OVERLOADED'), retryIn(200));
  service.scriptWatches(
    (call) => {
      refused = performance.now();
      call.emit('error', answer);
    },
    (call) => {
      back = performance.now();
      call.write(change(1));
    },
  );
  const watch = client.watchShowtime({ showtimeId: '123' });
  expect(await take(watch, 1)).toEqual(['change 1']);
  expect(back - refused).toBeGreaterThanOrEqual(199); // timers may be a fraction early
});

test('a pause too long for a timer is not taken for none', async () => {
  const tenThousandYears = refusal(
    status.RESOURCE_EXHAUSTED,
    info('OVERLOADED'),
    retryIn(315_576_000_000 * 1000),
  );
  service.scriptWatches((call) => call.emit('error', tenThousandYears));
  const timers = vi.spyOn(globalThis, 'setTimeout');
  try {
    const watch = client.watchShowtime({ showtimeId: '123' });
    const next = watch.next();
    const aMinuteAndJitter = (ms: unknown) => Number(ms) >= 60_000 && Number(ms) <= 90_000;
    const waits = () => timers.mock.calls.some(([, ms]) => aMinuteAndJitter(ms));
    await vi.waitFor(() => expect(waits()).toBe(true));
    await watch.return();
    expect((await next).done).toBe(true);
    expect(service.watches).toHaveLength(1);
  } finally {
    timers.mockRestore();
  }
});

test.each([404, 429, 500, 502, 503])('comes back after an HTTP %i of a proxy', async (code) => {
  let answered = 0;
  const proxy = createServer();
  proxy.on('stream', (stream) => {
    answered += 1;
    if (answered < 3) {
      stream.respond({ ':status': code, 'content-type': 'text/html' });
      stream.end('<h1>out of order</h1>');
      return;
    }
    stream.respond({ ':status': 200, 'content-type': 'application/grpc+proto' });
    const message = WatchShowtimeResponse.encode(change(1)).finish();
    const head = Buffer.alloc(5);
    head.writeUInt32BE(message.length, 1);
    stream.write(Buffer.concat([head, message]));
  });
  proxy.listen(0, '127.0.0.1');
  await once(proxy, 'listening');
  client.close();
  const address = `127.0.0.1:${(proxy.address() as AddressInfo).port}`;
  client = createSeatLockClient({ address, backoffMs: { first: 1, max: 2 } });
  const watch = client.watchShowtime({ showtimeId: '123' });
  expect(await take(watch, 1)).toEqual(['change 1']);
  expect(answered).toBe(3);
  await watch.return();
  client.close();
  proxy.close();
});

test('a service without the method ends it', async () => {
  service.scriptWatches(script([], { code: status.UNIMPLEMENTED, details: '' }));
  const watch = client.watchShowtime({ showtimeId: '123' });
  await expect(watch.next()).rejects.toMatchObject({ reason: 'UNIMPLEMENTED' });
  expect(await watch.next()).toEqual({ done: true, value: undefined });
  expect(service.watches).toHaveLength(1);
});

test('a message that cannot be read is thrown, not asked for again', async () => {
  service.scriptWatches(script([change((2n ** 53n) as unknown as number)]));
  const watch = client.watchShowtime({ showtimeId: '123' });
  await expect(watch.next()).rejects.toMatchObject({ reason: 'INTERNAL', name: 'SeatLockError' });
  expect(service.watches).toHaveLength(1);
});

const cancelled = (call: WatchCall) => new Promise((resolve) => call.once('cancelled', resolve));

test.each(['signal', 'return', 'close'])(
  '%s ends a watch that waits, and its stream',
  async (by) => {
    const abort = new AbortController();
    let streamEnded: Promise<unknown> | undefined;
    const watch = client.watchShowtime({ showtimeId: '123' }, { signal: abort.signal });
    service.scriptWatches((call) => {
      streamEnded = cancelled(call);
      call.write(progress(0, ''));
    });
    await take(watch, 1);
    const waiting = watch.next();
    if (by === 'signal') abort.abort();
    else if (by === 'return') await watch.return();
    else client.close();
    expect(await waiting).toEqual({ done: true, value: undefined });
    await streamEnded;
  },
);

test('leaving the loop ends the stream', async () => {
  let streamEnded: Promise<unknown> | undefined;
  service.scriptWatches((call) => {
    streamEnded = cancelled(call);
    call.write(progress(0, ''));
  });
  for await (const seen of client.watchShowtime({ showtimeId: '123' })) {
    expect(seen.type).toBe('progress');
    break;
  }
  await streamEnded;
});

test('a signal that has aborted asks for nothing', async () => {
  const watch = client.watchShowtime({ showtimeId: '123' }, { signal: AbortSignal.abort() });
  expect(await watch.next()).toEqual({ done: true, value: undefined });
  expect(service.watches).toHaveLength(0);
});

test('one that takes slowly is not read ahead for', async () => {
  const big = event({
    event: { $case: 'progress', value: { epoch: 'e'.repeat(100_000), revision: 0 } },
  });
  let ended: Promise<void> | undefined;
  let written = 0;
  service.scriptWatches((call) => {
    call.write(piece('A1', 3));
    ended = new Promise((resolve) => {
      const fill = () => {
        while (written < 2_000) {
          written += 1;
          if (!call.write(big)) return void call.once('drain', fill);
        }
      };
      fill();
      call.once('cancelled', resolve);
    });
  });
  const watch = client.watchShowtime({ showtimeId: '123' });
  await take(watch, 1);
  // Until it stands still. Calls on the same connection are not held up by it.
  service.scriptLocks(granted());
  for (let before = -1; before !== written && written < 100; ) {
    before = written;
    for (let i = 0; i < 100; ++i) await client.lockSeat(SEAT);
  }
  expect(written).toBeLessThan(100);
  await watch.return();
  await ended;
}, 30_000);

const SEAT = { showtimeId: '123', seatId: 'A06', sessionId: 'alice' };

test('calls of next that overlap are served in turn', async () => {
  service.scriptWatches(script([piece('A1', 3), change(4), change(5)]));
  const watch = client.watchShowtime({ showtimeId: '123' });
  const both = await Promise.all([watch.next(), watch.next(), watch.next()]);
  const seen = both.map(({ value }) => value && summary(value));
  expect(seen).toEqual(['snapshot 3 A1', 'change 4', 'change 5']);
});
